"""The timeline of a group or alert, in words."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerting.models import Alert, TimelineEvent
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
    Kind.NOT_DELIVERED: ("error", "red"),
    Kind.ACKNOWLEDGED: ("front_hand", "orange"),
    Kind.UNACKNOWLEDGED: ("undo", "orange"),
    Kind.COMMENT: ("chat", "blue"),
    Kind.ASSIGNED: ("person", "blue"),
    Kind.SILENCED: ("notifications_off", "orange"),
    Kind.ESCALATION_STARTED: ("stairs", "orange"),
    Kind.ESCALATED: ("phone_in_talk", "orange"),
    Kind.ESCALATION_SKIPPED: ("phone_missed", "grey"),
    Kind.ESCALATION_HELD: ("pause_circle", "blue"),
    Kind.ESCALATION_RESUMED: ("play_circle", "orange"),
    Kind.ESCALATION_ENDED: ("stop_circle", "grey"),
}


MAX_DETAILS = 6
MAX_LABELS = 3
# Labels that say what the group's title says already.
COMMON = frozenset({"alertname", "severity", "service"})


# What the parts of an event are called; what is not here is shown by its name.
KEYS: dict[str, Promise] = {
    "by": gettext_lazy("by"),
    "for": gettext_lazy("for"),
    "until": gettext_lazy("until"),
    "comment": gettext_lazy("comment"),
    "severity": gettext_lazy("severity"),
    "changes": gettext_lazy("changes"),
    "cycle": gettext_lazy("cycle"),
    "silent_for": gettext_lazy("silent for"),
    "policy": gettext_lazy("policy"),
    "level": gettext_lazy("level"),
    "schedule": gettext_lazy("schedule"),
    "person": gettext_lazy("person"),
    "channel": gettext_lazy("channel"),
    "recipient": gettext_lazy("recipient"),
    "silence": gettext_lazy("silence"),
    "name": gettext_lazy("whom"),
    "why": gettext_lazy("why"),
    "late_by": gettext_lazy("late by seconds"),
    "to": gettext_lazy("to"),
}


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
    events = list(events)
    named = {event.alert_id for event in events if event.alert_id is not None and event.group_id is not None}
    alerts = Alert.objects.filter(pk__in=named).only("labels", "annotations", "fingerprint") if named else ()
    names = {alert.pk: _name(alert) for alert in alerts}
    return [_line(event, names) for event in events]


def _name(alert: Alert) -> str:
    """The alert's title with the labels that tell it from its neighbours."""
    rest = [f"{name}={value}" for name, value in sorted(alert.labels.items()) if name not in COMMON]
    return " ".join([str(alert), *rest[:MAX_LABELS]])[:200]


def _line(event: TimelineEvent, names: Mapping[UUID, str]) -> Line:
    icon, tone = ICONS.get(event.kind, ("circle", "grey"))  # type: ignore[call-overload]
    why = str(why_title(event.reason)) if event.reason else ""
    name = names.get(event.alert_id, "") if event.alert_id is not None else ""
    return Line(event, icon, tone, str(kind_title(event.kind)), why, _detail(event.kind, event.data or {}, name))


def _detail(kind: str, data: dict[str, Any], name: str) -> SafeString | str:
    if kind == Kind.COMMENT:
        return str(data.get("text") or data.get("comment") or "")
    if kind == Kind.SEVERITY_CHANGED:
        return _("from %(old)s to %(new)s") % {"old": _severity(data.get("from")), "new": _severity(data.get("to"))}
    if kind == Kind.TOLD:
        return _told(data)
    if kind == Kind.ESCALATED:
        return _called(data)
    # Ids are for programs: the API shows them.
    parts = [("", name)] if name else []
    parts += [
        (str(KEYS.get(key) or key.replace("_", " ")), _severity(value) if key == "severity" else _plain(value))
        for key, value in data.items()
        if value not in (None, "", [], {}) and not key.endswith("_id") and key != "target"
    ]
    return format_html_join(" · ", "<i>{}</i> {}", parts[:MAX_DETAILS])


def _called(data: Mapping[str, Any]) -> str:
    """Who was called at which level; who is called later by their own rules says so."""
    told = [
        _("%(who)s (%(recipient)s) after %(minutes)d min") % {**one, "minutes": one["after"] // 60}
        if one.get("after")
        else f"{one.get('who', '')} ({one.get('recipient', '')})"
        for one in data.get("told", [])
    ]
    level = _("level %(level)s") % {"level": data.get("level", "?")}
    return " · ".join([level, *told[:MAX_DETAILS]])


def _told(data: Mapping[str, Any]) -> str:
    """Who was told and of how many alerts; what people did is told without counts."""
    whom = f"{data.get('channel', '')} ({data.get('recipient', '')})"
    if "firing" not in data and "resolved" not in data:
        return whom
    counts = _("%(firing)s firing, %(resolved)s resolved")
    return f"{whom} · {counts % {'firing': data.get('firing', 0), 'resolved': data.get('resolved', 0)}}"


def _severity(value: Any) -> str:
    try:
        return str(TITLES[Severity(value)])
    except ValueError:
        return str(value)


def _moment(value: Any) -> datetime | None:
    """The time that a text of ours stands for; people's words may look like one and be none."""
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None


def _plain(value: Any) -> str:
    if moment := _moment(value):
        return date_format(timezone.localtime(moment), "j M H:i")
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(item)}" for name, item in value.items())[:300]
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)[:300]
    return str(value)[:300]
