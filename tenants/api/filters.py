"""Query parameters of a view, said once for reading them and for OpenAPI."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenants.api.query import Reader, flag, identifier, moment, one_of, text


@dataclass(frozen=True)
class Filter:
    """One query parameter."""

    reader: Reader
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    description: str | Promise = ""
    is_repeatable: bool = False

    def as_parameter(self, name: str) -> dict[str, Any]:
        """The parameter as OpenAPI says it."""
        schema = {"type": "array", "items": self.schema} if self.is_repeatable else self.schema
        parameter: dict[str, Any] = {"name": name, "in": "query", "required": False, "schema": schema}
        if self.is_repeatable:
            parameter |= {"style": "form", "explode": True}
        return parameter | ({"description": str(self.description)} if self.description else {})


def readers(filters: Mapping[str, Filter]) -> dict[str, Reader]:
    """What `read_query` asks for."""
    return {name: one.reader for name, one in filters.items()}


def repeatable(filters: Mapping[str, Filter]) -> set[str]:
    """The parameters that may come several times."""
    return {name for name, one in filters.items() if one.is_repeatable}


def choice(*words: str, description: str | Promise = "") -> Filter:
    """A parameter that is one of a few words."""
    return Filter(one_of(*words), {"type": "string", "enum": list(words)}, description)


def words(longest: int, description: str | Promise = "") -> Filter:
    """A parameter that is a short text."""
    return Filter(text(longest), {"type": "string", "minLength": 1, "maxLength": longest}, description)


def row_id(description: str | Promise = "") -> Filter:
    """A parameter that is the id of a row."""
    return Filter(identifier, {"type": "string", "format": "uuid"}, description)


def yes_or_no(description: str | Promise = "") -> Filter:
    """A parameter that is true or false."""
    return Filter(flag, {"type": "boolean"}, description)


def instant(description: str | Promise) -> Filter:
    """A parameter that is a time with its zone."""
    return Filter(moment, {"type": "string", "format": "date-time"}, description)


PERIOD = {
    "since": instant(_("Only what is not older than this.")),
    "until": instant(_("Only what is older than this.")),
}
