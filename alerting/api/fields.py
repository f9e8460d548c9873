"""Fields of the alerting API: matchers and severities."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerting import severity
from alerting.matchers import MatcherError, from_json, parse, to_json
from alerting.matchers.matcher import MAX_MATCHERS, MAX_NAME, MAX_VALUE, OPERATORS
from tenants.api.wording import OTHER

MATCHER = {
    "type": "object",
    "required": ["name", "op", "value"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
        "op": {"type": "string", "enum": list(OPERATORS)},
        "value": {"type": "string", "maxLength": MAX_VALUE},
    },
}


@extend_schema_field({"type": "array", "items": MATCHER, "maxItems": MAX_MATCHERS})
class MatchersField(serializers.Field[Any, Any, Any, Any]):
    """A list of {name, op, value}; a text such as `team="a", env=~"prod|stage"` is taken too.

    With `min_length` 1 an empty list, which would match everything, is refused.
    """

    default_error_messages = {
        "min_length": _("This is empty and would match every alert; send at least one matcher."),
    }
    #: Said where this is missing (see `tenants.api.wording`).
    takes = _('a list of matchers such as [{"name": "team", "op": "=", "value": "shop"}]')

    def __init__(self, *, min_length: int = 0, **options: Any) -> None:
        self.min_length = min_length
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> list[dict[str, str]]:
        try:
            found = to_json(parse(data, "") if isinstance(data, str) else from_json(data, ""))
        except MatcherError as error:
            detail: Any = [error.message]
            for step in reversed(error.field.strip("/").split("/") if error.field else []):
                detail = {step: detail}
            raise serializers.ValidationError(detail, "matcher") from error
        if len(found) < self.min_length:
            self.fail("min_length")
        return found

    def to_representation(self, value: Any) -> Any:
        return value


class ArrayField(serializers.JSONField):
    """An array whose entries are judged with the whole row."""

    takes = _("an array")

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise serializers.ValidationError(OTHER % {"wanted": self.takes}, "type")
        return data


@extend_schema_field({"type": "string", "enum": list(severity.LABELS.values())})
class SeverityField(serializers.Field[int, Any, str, int]):
    """A severity by its name."""

    default_error_messages = {"unknown": _("There is no such severity; choose one of: {known}.")}
    takes = ", ".join(severity.LABELS.values())

    def to_internal_value(self, data: Any) -> int:
        found = severity.parse(data) if isinstance(data, str) else None
        if found is None:
            self.fail("unknown", known=self.takes)
        return int(found)

    def to_representation(self, value: int) -> str:
        return severity.LABELS.get(value, str(value))
