"""Pages by cursor: a signed place in a stable order, so that rows added meanwhile neither repeat nor hide others."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db.models import Field, Model, Q
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.problems import Problem
from tenants.api.query import Reader, integer, read_parameters, text

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200

#: The parameters a paged list takes; a view adds its filters to them and calls `read_query`.
PAGE_PARAMETERS: Final[dict[str, Reader]] = {"cursor": text(512), "limit": integer(1, MAX_LIMIT)}


class _Place(msgspec.Struct, array_like=True, frozen=True):
    """The last row of a page, as text: which kind of value `at` is, the field knows."""

    at: str
    id: UUID


class CursorPagination(BasePagination):
    """Newest first by (`cursor_field`, id), or oldest first with `cursor_newest_first = False` on the view.

    The cursor is signed for the path it was made on, so it can neither be made up nor used on another list.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the rows of the page asked for and remember whether others follow."""
        self.request = request
        self.field: str = getattr(view, "cursor_field", "created_at")
        is_newest_first: bool = getattr(view, "cursor_newest_first", True)
        page = read_parameters(request.GET, PAGE_PARAMETERS, are_others_refused=False)
        rows = self._ordered(queryset, "-" if is_newest_first else "")
        if "cursor" in page:
            rows = rows.filter(self._beyond(page["cursor"], queryset.model, "lt" if is_newest_first else "gt"))
        limit = page.get("limit", DEFAULT_LIMIT)
        found = list(rows[: limit + 1])
        self.next_cursor = self._cursor(found[limit - 1]) if len(found) > limit else None
        return found[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        """Wrap the rows with the address of the next page."""
        return Response({"results": data, "next": self._next_url(), "next_cursor": self.next_cursor})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe the page for OpenAPI."""
        return {
            "type": "object",
            "required": ["results", "next", "next_cursor"],
            "properties": {
                "results": schema,
                "next": {"type": ["string", "null"], "format": "uri-reference"},
                "next_cursor": {"type": ["string", "null"]},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters for OpenAPI."""
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        return [
            {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string", "maxLength": 512}},
            {"name": "limit", "in": "query", "required": False, "schema": limit},
        ]

    def _signer(self) -> Signer:
        return Signer(salt=f"cursor:{self.request.path}:{self.field}")

    def _cursor(self, row: Model) -> str:
        at = _value(row, self.field)
        place = _Place(at.isoformat() if isinstance(at, datetime) else str(at), _value(row, "id"))
        return self._signer().sign_object(msgspec.to_builtins(place))

    def _ordered(self, queryset: Any, sign: str) -> Any:
        fields = [self.field] if self.field == "id" else [self.field, "id"]
        return queryset.order_by(*(sign + field for field in fields))

    def _beyond(self, cursor: str, model: type[Model], comparison: str) -> Q:
        """The condition of rows after the cursor's place."""
        try:
            place = msgspec.convert(self._signer().unsign_object(cursor), _Place)
            at = cast("Field[Any, Any]", model._meta.get_field(self.field)).to_python(place.at)
        except (BadSignature, ValueError, msgspec.ValidationError, ValidationError) as error:
            message = _("cursor: take it unchanged from next_cursor of the page before, or leave it out.")
            raise Problem("bad_cursor", message) from error
        if self.field == "id":
            return Q(**{f"id__{comparison}": place.id})
        return Q(**{f"{self.field}__{comparison}": at}) | Q(**{self.field: at, f"id__{comparison}": place.id})

    def _next_url(self) -> str | None:
        if self.next_cursor is None:
            return None
        parameters = self.request.GET.copy()
        parameters["cursor"] = self.next_cursor
        return f"{self.request.path}?{urlencode(list(_flat(parameters.lists())))}"


def _flat(lists: Iterable[tuple[str, list[str]]]) -> Iterator[tuple[str, str]]:
    for name, values in lists:
        for value in values:
            yield name, value


def _value(row: Any, field: str) -> Any:
    return row[field] if isinstance(row, dict) else getattr(row, field)
