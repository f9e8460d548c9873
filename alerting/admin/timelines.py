"""The timeline of a group or alert, in words."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from alerting.models import TimelineEvent
from alerting.severity import TITLES, Severity
from alerting.timeline import Kind, kind_title, why_title

ICONS = {
    Kind.FIRED: ("local_fire_department", "red"),
    Kind.FIRED_AGAIN: ("local_fire_department", "red"),
    Kind.RESOLVED: ("check_circle", "green"),
    Kind.CLOSED: ("check_circle", "green"),
    Kind.SEVERITY_CHANGED: ("trending_up", "orange"),
    Kind.FLAPPING_STARTED: ("swap_vert", "orange"),
    Kind.FLAPPING_STOPPED: ("swap_vert", "green"),
    Kind.MUTED: ("notifications_off", "grey"),
    Kind.UNMUTED: ("notifications", "blue"),
    Kind.OPENED: ("notifications_active", "red"),
    Kind.TOLD: ("send", "blue"),
    Kind.NOT_TOLD: ("cancel_schedule_send", "grey"),
    Kind.ACKNOWLEDGED: ("front_hand", "orange"),
    Kind.UNACKNOWLEDGED: ("undo", "orange"),
    Kind.COMMENT: ("chat", "blue"),
    Kind.ASSIGNED: ("person", "blue"),
    Kind.SILENCED: ("notifications_off", "orange"),
}


MAX_DETAILS = 6


class Line(NamedTuple):
    """One event as the page shows it."""

    event: TimelineEvent
    icon: str
    tone: str
    title: str
    why: str
    detail: SafeString | str


def timeline_lines(events: Iterable[TimelineEvent]) -> list[Line]:
    """Return events as lines; everything that comes from alerts or people is escaped."""
    return [_line(event) for event in events]


def _line(event: TimelineEvent) -> Line:
    icon, tone = ICONS.get(event.kind, ("circle", "grey"))  # type: ignore[call-overload]
    why = str(why_title(event.reason)) if event.reason else ""
    return Line(event, icon, tone, str(kind_title(event.kind)), why, _detail(event.kind, event.data or {}))


def _detail(kind: str, data: dict[str, Any]) -> SafeString | str:
    if kind == Kind.COMMENT:
        return str(data.get("text") or data.get("comment") or "")
    if kind == Kind.SEVERITY_CHANGED:
        return _("from %(old)s to %(new)s") % {"old": _severity(data.get("from")), "new": _severity(data.get("to"))}
    parts = [(name.replace("_", " "), _plain(value)) for name, value in data.items()]
    return format_html_join(" · ", "<i>{}</i> {}", parts[:MAX_DETAILS])


def _severity(value: Any) -> str:
    try:
        return str(TITLES[Severity(value)])
    except ValueError:
        return str(value)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(item)}" for name, item in value.items())[:300]
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)[:300]
    return str(value)[:300]
