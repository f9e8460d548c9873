"""Strict input: serializers that refuse unknown fields, fields of our own, and the check of a whole row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tenants.api.wording import mistyped, reword
from tenants.faults import shown

M = TypeVar("M", bound=models.Model)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know: a misspelt one would be ignored silently, which is worse than an error."""

    def get_fields(self) -> dict[str, Any]:
        found: dict[str, Any] = super().get_fields()
        for field in found.values():
            reword(field)
        return found

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            reword(self)
            return super().to_internal_value(data)
        self._check_known(data)
        # A number where a text belongs would be turned into one, and "yes" into true: each sender means another thing.
        found = {name: mistyped(field, data[name]) for name, field in self.fields.items() if name in data}
        faults = {name: detail for name, detail in found.items() if detail is not None}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**faults, **error.detail}) from error  # type: ignore[dict-item]
        if faults:
            raise serializers.ValidationError(faults)
        return value

    def _check_known(self, data: dict[str, Any]) -> None:
        writable = {name for name, field in self.fields.items() if not field.read_only}
        unknown = [name for name in data if name not in writable]
        if unknown:
            message = _("There is no such field; known are: %(known)s.") % {"known": ", ".join(sorted(writable))}
            raise serializers.ValidationError({shown(str(name)): [message] for name in unknown[:20]}, "unknown")


class NoInput(StrictSerializer):
    """The body of an act that needs nothing: an empty object, or none."""


class StrictModelSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    """Input for a model. Uniqueness is judged on the whole row by `clean_instance`."""

    def get_validators(self) -> list[Any]:
        return []


@extend_schema_field({"type": "integer", "minimum": 0, "description": "Seconds."})
class SecondsField(serializers.Field[timedelta, Any, int, timedelta]):
    """A duration as whole seconds."""

    default_error_messages = {
        "type": gettext_lazy("Give a whole number of seconds."),
        "range": gettext_lazy("Give from {lowest} to {highest} seconds."),
    }

    def __init__(self, *, lowest: int = 0, highest: int = 366 * 86_400, **options: Any) -> None:
        self.lowest, self.highest = lowest, highest
        super().__init__(**options)

    @property
    def takes(self) -> str:
        """What is said where this is missing (see `wording`)."""
        return _("%(kind)s from %(lowest)s to %(highest)s") % {
            "kind": _("a whole number of seconds"),
            "lowest": self.lowest,
            "highest": self.highest,
        }

    def to_internal_value(self, data: Any) -> timedelta:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("type")
        if not self.lowest <= data <= self.highest:
            self.fail("range", lowest=self.lowest, highest=self.highest)
        return timedelta(seconds=data)

    def to_representation(self, value: timedelta) -> int:
        return int(value.total_seconds())


@extend_schema_field({"type": "string", "format": "uuid"})
class RowField(serializers.UUIDField):
    """The id of another row of the same tenant, read as that row."""

    default_error_messages = {"missing": gettext_lazy("There is nothing here with this id.")}

    def __init__(self, model: type[models.Model], **options: Any) -> None:
        self.model = model
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        wanted: UUID = super().to_internal_value(data)
        found = self.model._default_manager.filter(pk=wanted).first()
        if found is None:
            self.fail("missing")
        return found


def clean_instance(instance: M, check: Callable[[M], None] | None = None) -> None:
    """Judge a whole row: its fields, then what `check` knows of its kind, then what the tenant's other rows forbid.

    Raises ValidationError by field; what is wrong with a field keeps the later steps from being asked.
    """
    _check_fields(instance)
    instance.clean()
    if check is not None:
        check(instance)
    _check_unique(instance)


def _check_fields(instance: models.Model) -> None:
    try:
        instance.clean_fields(exclude={"tenant"})
    except ModelError as error:
        faults: dict[str, list[Any]] = error.update_error_dict({})
        for name, found in faults.items():
            if any(one.code == "blank" for one in found):
                is_listing = isinstance(getattr(instance, name), list | dict)
                message = (
                    _("This is empty; give at least one entry.") if is_listing else _("This is empty; send a text.")
                )
                faults[name] = [ModelError(message, "blank")]
        raise ModelError(faults) from error


def _check_unique(instance: models.Model) -> None:
    try:
        instance.validate_constraints()
    except ModelError as error:
        faults: dict[str, list[Any]] = error.update_error_dict({})
        whole = faults.pop(NON_FIELD_ERRORS, [])
        is_named = any(one.name.endswith("_name") for one in instance._meta.constraints)
        if whole and is_named:
            faults["name"] = [ModelError(_("Another one has this name already; choose another."), "unique")]
        elif whole:
            faults[NON_FIELD_ERRORS] = whole
        raise ModelError(faults) from error
