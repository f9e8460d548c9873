"""Matchers and labels as people read them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

MAX_SHOWN = 8


def matcher_chips(matchers: Any) -> SafeString:
    """Return matchers as chips; an empty list takes every alert. Every part of them is escaped."""
    items = [item for item in matchers or () if isinstance(item, Mapping)]
    if not items:
        return format_html('<span class="al-muted">{}</span>', _("every alert"))
    shown = format_html_join(
        " ",
        '<code class="al-matcher">{}<b>{}</b>{}</code>',
        ((item.get("name", ""), item.get("op", "="), item.get("value", "") or "“”") for item in items[:MAX_SHOWN]),
    )
    return _with_rest(shown, len(items))


def label_chips(labels: Mapping[str, str], leave_out: Iterable[str] = (), most: int = MAX_SHOWN) -> SafeString:
    """Return labels as chips; names and values come from strangers and are escaped."""
    left = set(leave_out)
    pairs = [(name, value) for name, value in sorted(labels.items()) if name not in left]
    shown = format_html_join(
        " ", '<span class="al-label"><i>{}</i>{}</span>', ((name, str(value)[:120]) for name, value in pairs[:most])
    )
    return _with_rest(shown, len(pairs), most)


def _with_rest(shown: SafeString, count: int, most: int = MAX_SHOWN) -> SafeString:
    if count <= most:
        return shown
    rest = _("and %(count)d more") % {"count": count - most}
    return format_html('{} <span class="al-muted">{}</span>', shown, rest)
