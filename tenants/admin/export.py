"""Lists as CSV: the rows and columns a person sees in a list, with its search and filters, and no others."""

import csv
import re
from collections.abc import Iterable, Iterator
from copy import copy
from html import unescape
from typing import Any, Final

from django.contrib.admin.utils import display_for_field, label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeData
from django.utils.translation import gettext as _

from tenants.spreadsheets import safe

#: Nobody reads more by hand; the API pages through all.
MAX_ROWS: Final = 10_000
# A list writes a time as how long ago it was.
_TIME: Final = re.compile(r'<time datetime="([^"]+)"[^>]*>[^<]*</time>')


class _Line:
    """What csv writes into, so that each line can be sent at once."""

    def write(self, text: str) -> str:
        return text


def export_page(page: Any, request: HttpRequest) -> StreamingHttpResponse:
    """Return the list as a file; the caller has checked that the person may see it."""
    asked = request.GET.copy()
    asked.pop("p", None)
    request.GET = asked  # type: ignore[assignment]
    # A page of its own, as long as the file: what a list adds to the rows of its page is added to all of them.
    page = copy(page)
    page.list_per_page = MAX_ROWS
    changes = page.get_changelist_instance(request)
    columns = [name for name in changes.list_display if name != "action_checkbox"]
    titles = [str(label_for_field(name, page.model, page)) for name in columns]
    # Read before the answer begins: it is sent after the tenant's context has ended.
    rows = [[_cell(name, row, page) for name in columns] for row in changes.result_list[:MAX_ROWS]]
    name = f"{page.opts.model_name}-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    return StreamingHttpResponse(
        _lines([titles, *rows]),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _lines(rows: Iterable[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    for row in rows:
        yield writer.writerow([safe(cell) for cell in row])


def _cell(name: str, row: Any, page: Any) -> str:
    """The cell as text: without markup, and a time as a time where the list says how long ago it was."""
    try:
        field, _attr, value = lookup_field(name, row, page)
    except ObjectDoesNotExist:
        return ""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if field is None:
        return _plain(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return "" if value is None else str(display_for_field(value, field, ""))


def _plain(value: Any) -> str:
    if value is None or value == "–":
        return ""
    if not isinstance(value, SafeData):
        return str(value)
    return " ".join(unescape(strip_tags(_TIME.sub(r"\1", str(value)))).split())
