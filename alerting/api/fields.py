"""Fields of the alerting API: matchers and severities."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerting import severity
from alerting.matchers import MatcherError, from_json, parse, to_json
from alerting.matchers.matcher import MAX_MATCHERS, MAX_NAME, MAX_VALUE, OPERATORS

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
    """A list of {name, op, value}; a text such as `team="a", env=~"prod|stage"` is taken too."""

    def to_internal_value(self, data: Any) -> list[dict[str, str]]:
        try:
            return to_json(parse(data, "") if isinstance(data, str) else from_json(data, ""))
        except MatcherError as error:
            detail: Any = [error.message]
            for step in reversed(error.field.strip("/").split("/") if error.field else []):
                detail = {step: detail}
            raise serializers.ValidationError(detail, "matcher") from error

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "string", "enum": list(severity.LABELS.values())})
class SeverityField(serializers.Field[int, Any, str, int]):
    """A severity by its name."""

    default_error_messages = {"unknown": _("There is no such severity.")}

    def to_internal_value(self, data: Any) -> int:
        found = severity.parse(data) if isinstance(data, str) else None
        if found is None:
            self.fail("unknown")
        return int(found)

    def to_representation(self, value: int) -> str:
        return severity.LABELS.get(value, str(value))
