"""The form of a row that has a kind: common fields, then those of its kind; secrets go in and never come out."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Self

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldBooleanSwitchWidget

from channels.admin.struct_fields import Words, field_name, struct_fields
from channels.kinds import KindRegistry
from channels.validation import Faults, credentials_of, moved_credentials_fault
from tenants.admin.forms import TenantModelForm

PARTS = ("settings", "credentials")
EMPTY: tuple[Any, ...] = (None, "", [], {})


class StructForm(TenantModelForm):
    """Fields named `<part>__<kind>__<field>` carry what the structs of the kind ask for."""

    known: ClassVar[KindRegistry[Any]]
    words: ClassVar[Words]

    forget_credentials = forms.BooleanField(
        label=gettext_lazy("remove stored credentials"), required=False, widget=UnfoldBooleanSwitchWidget()
    )

    @classmethod
    def of_kinds(cls, kinds: list[str], *, is_new: bool) -> type[Self]:
        """Return this form with the fields of these kinds."""
        fields: dict[str, Any] = {}
        for kind in kinds:
            for part in PARTS:
                fields.update(struct_fields(cls.known.get(kind), part, cls.words, is_new=is_new))
        return type(f"{cls.__name__}OfKind", (cls,), fields)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.is_new: bool = self.instance._state.adding
        # As it is stored; Django writes what was typed into the instance while it judges the form.
        self.before: Any = None if self.is_new else self._copy()
        if "kind" in self.fields and not self.is_new:
            self.fields["kind"].disabled = True
        if not self.is_new:
            for name, value in (self.instance.settings or {}).items():
                self.initial[field_name(self.instance.kind, "settings", name)] = value

    def clean(self) -> dict[str, Any]:
        """Build the settings and credentials of the chosen kind and have them judged."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        kind = data.get("kind", "")
        if kind not in self.known.kinds() or any(name.split("__")[1:2] == [kind] for name in self.errors):
            return data
        self.instance.settings = self._given(kind, "settings", data)
        moved = moved_credentials_fault(self.known, self.before, kind, self.instance.settings)
        credentials = self._credentials(kind, data, is_moved=bool(moved))
        if credentials is None and moved:
            self.add_error(self._first_secret(kind), ValidationError(moved))
            return data
        held = credentials if credentials is not None else credentials_of(self.instance)
        self.instance.credentials = json.dumps(held) if held else ""
        self._tell_faults(kind, self.faults(kind, held, data))
        return data

    def faults(self, kind: str, credentials: dict[str, Any], data: dict[str, Any]) -> Faults:
        """Return what is wrong with the instance as it would be saved."""
        return {}

    def _copy(self) -> Any:
        kept = ("kind", "settings", "credentials")
        return self._meta.model(**{name: getattr(self.instance, name) for name in kept})

    def _given(self, kind: str, part: str, data: dict[str, Any]) -> dict[str, Any]:
        prefix = field_name(kind, part, "")
        found = {name.removeprefix(prefix): value for name, value in data.items() if name.startswith(prefix)}
        return {name: value for name, value in found.items() if value not in EMPTY}

    def _credentials(self, kind: str, data: dict[str, Any], *, is_moved: bool) -> dict[str, Any] | None:
        """Return new credentials, or None where the stored ones stay."""
        typed = self._given(kind, "credentials", data)
        if data.get("forget_credentials") or self.is_new:
            return typed
        if not typed:
            return None
        # What is typed is added to what is stored, unless that would be told to another place.
        return typed if is_moved else {**credentials_of(self.instance), **typed}

    def _first_secret(self, kind: str) -> str | None:
        return next((name for name in self.fields if name.startswith(field_name(kind, "credentials", ""))), None)

    def _tell_faults(self, kind: str, faults: Faults) -> None:
        for part, found in faults.items():
            if not isinstance(found, dict):
                self.add_error(part if part in self.fields else None, ValidationError(list(found)))
                continue
            for name, texts in found.items():
                field = field_name(kind, part, name)
                self.add_error(field if field in self.fields else None, ValidationError(list(texts)))
