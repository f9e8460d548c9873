"""Pages over rows that only Python can judge: scanned in bounded steps, so that no expression reaches SQL."""

from typing import Any, Final

from rest_framework.request import Request

from alerting.matchers import Predicate
from tenants.api.pagination import DEFAULT_LIMIT, PAGE_PARAMETERS, CursorPagination
from tenants.api.query import read_parameters

STEP: Final = 500
#: After so many rows a page ends even when it is not full; its cursor goes on from there.
MAX_SCANNED: Final = 5_000


class ScanningPagination(CursorPagination):
    """A page of the rows whose labels pass `view.predicate`; without one it is a plain page."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the rows of the page; it may be short, even empty, while a next one follows."""
        predicate: Predicate | None = getattr(view, "predicate", None)
        if predicate is None:
            return super().paginate_queryset(queryset, request, view)
        self.request, self.field = request, view.cursor_field
        page = read_parameters(request.GET, PAGE_PARAMETERS, are_others_refused=False)
        limit, cursor = page.get("limit", DEFAULT_LIMIT), page.get("cursor")
        found: list[Any] = []
        for _step in range(MAX_SCANNED // STEP):
            rows = self._step(queryset, cursor, is_newest_first=view.cursor_newest_first)
            for row in rows:
                if not predicate(row.labels):
                    continue
                if len(found) == limit:
                    self.next_cursor = self._cursor(found[-1])
                    return found
                found.append(row)
            if len(rows) < STEP:
                self.next_cursor = None
                return found
            cursor = self._cursor(rows[-1])
        self.next_cursor = cursor
        return found

    def _step(self, queryset: Any, cursor: str | None, *, is_newest_first: bool) -> list[Any]:
        rows = self._ordered(queryset, "-" if is_newest_first else "")
        if cursor is not None:
            rows = rows.filter(self._beyond(cursor, queryset.model, "lt" if is_newest_first else "gt"))
        return list(rows[:STEP])
