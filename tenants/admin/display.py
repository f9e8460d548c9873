"""Small pieces of text the pages of all apps share."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def chip(text: object, tone: str) -> SafeString:
    """Return a coloured label; `tone` is one of ours, the text is escaped."""
    return format_html('<span class="al-chip al-chip-{}">{}</span>', tone, text)


def duration_text(value: timedelta | None) -> str:
    """Write a duration as a person types it: `1d 2h`, `90s` as `1m 30s`; empty for None."""
    if value is None:
        return ""
    left = int(value.total_seconds())
    if left <= 0:
        return "0s"
    parts = []
    for unit, seconds in UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts)


def age(since: datetime | None, now: datetime | None = None) -> str:
    """Say how long ago something was, in its largest unit."""
    if since is None:
        return ""
    seconds = int(((now or timezone.now()) - since).total_seconds())
    if seconds < 0:
        return _("in %(time)s") % {"time": _largest(-seconds)}
    if seconds < 5:
        return _("now")
    return _("%(time)s ago") % {"time": _largest(seconds)}


def _largest(seconds: int) -> str:
    if seconds < 60:
        return ngettext("%(count)d s", "%(count)d s", seconds) % {"count": seconds}
    if seconds < 3_600:
        return ngettext("%(count)d min", "%(count)d min", seconds // 60) % {"count": seconds // 60}
    if seconds < 86_400:
        return ngettext("%(count)d h", "%(count)d h", seconds // 3_600) % {"count": seconds // 3_600}
    days = seconds // 86_400
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def moment(at: datetime | None) -> SafeString | str:
    """Return an age with the exact time as its tooltip."""
    if at is None:
        return "–"
    exact = timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S %Z")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, age(at))
