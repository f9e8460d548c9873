"""The page that a problem document's `type` points at: every kind with its status and title."""

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from tenants.api.problem_kinds import KINDS
from tenants.api.problems import CONTENT_TYPE

_PAGE = (
    '<!doctype html><html lang="{}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{}</title><h1>{}</h1><dl>{}</dl></html>"
)
_KIND = '<dt id="{0}"><code>{0}</code> ({1})</dt><dd>{2}</dd>'


@require_safe
def problem_kinds(_request: HttpRequest) -> HttpResponse:
    """List the kinds, each under the anchor of its code."""
    kinds = format_html_join("", _KIND, ((code, kind.status, kind.title) for code, kind in KINDS.items()))
    return HttpResponse(format_html(_PAGE, get_language() or "en", CONTENT_TYPE, CONTENT_TYPE, kinds))
