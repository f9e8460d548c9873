"""One line of a timeline as a sentence."""

from typing import Any, Final

from django.utils.translation import gettext as _

from alerting import severity
from alerting.explain.story import Detail, Verdict
from alerting.explain.words import Clock, listed
from alerting.models import TimelineEvent
from alerting.timeline import Kind, kind_title, why_title

_VERDICTS: Final = {
    Kind.TOLD: Verdict.PASSED,
    Kind.NOT_TOLD: Verdict.QUIET,
    Kind.MUTED: Verdict.QUIET,
    Kind.ACKNOWLEDGED: Verdict.QUIET,
    Kind.SILENCED: Verdict.QUIET,
    Kind.FLAPPING_STARTED: Verdict.QUIET,
    Kind.SEVERITY_CHANGED: Verdict.CHANGED,
}


def told(event: TimelineEvent, clock: Clock) -> Detail:
    """A timeline event as a sentence with its time."""
    return Detail(
        verdict=_VERDICTS.get(Kind(event.kind), Verdict.NOTED) if event.kind in set(Kind) else Verdict.NOTED,
        code=event.kind,
        subject="alert" if event.alert_id else "group",
        id=event.alert_id or event.group_id,
        name=event.actor,
        at=event.at,
        sentence=_("%(at)s – %(what)s") % {"at": clock.exact(event.at), "what": _what(event)},
        data={"reason": event.reason, **(event.data or {})},
    )


def _what(event: TimelineEvent) -> str:
    data = event.data or {}
    text = _told_or_not(event, data) or _plainly(event, data)
    if event.actor:
        text = _("%(what)s, by %(actor)s") % {"what": text, "actor": event.actor}
    return text


def _told_or_not(event: TimelineEvent, data: dict[str, Any]) -> str:
    """Lines about somebody being told name them first: they are what people look for."""
    values = {
        "channel": data.get("channel", ""),
        "recipient": data.get("recipient", ""),
        "why": why_title(event.reason),
    }
    if event.kind == Kind.TOLD and data.get("channel"):
        return _("Told: %(channel)s, %(recipient)s (%(why)s)") % values
    if event.kind == Kind.NOT_TOLD and data.get("for"):
        return _("Not told: %(names)s, since %(why)s") % {**values, "names": listed(map(str, data["for"]))}
    if event.kind == Kind.ESCALATED and data.get("told"):
        return _called(event, data)
    if event.kind == Kind.MUTED and isinstance(data.get("by"), list):
        return _("Muted by %(names)s") % {"names": listed(map(_mute, data["by"]))}
    return ""


def _called(event: TimelineEvent, data: dict[str, Any]) -> str:
    """Who was called, each once, however many ways there are to reach them."""
    names = listed(dict.fromkeys(str(one.get("who", "")) for one in data["told"]))
    text = _("Escalated to %(names)s, level %(level)s") % {"names": names, "level": data.get("level", "?")}
    return _("%(what)s: %(why)s") % {"what": text, "why": why_title(event.reason)} if event.reason else text


def _mute(one: dict[str, Any]) -> str:
    return _("%(kind)s “%(name)s”") % {"kind": why_title(str(one.get("kind"))), "name": one.get("name", "")}


def _plainly(event: TimelineEvent, data: dict[str, Any]) -> str:
    text = str(kind_title(event.kind))
    if event.reason:
        text = _("%(what)s: %(why)s") % {"what": text, "why": why_title(event.reason)}
    more = _more(event.kind, data)
    return f"{text} ({more})" if more else text


def _more(kind: str, data: dict[str, Any]) -> str:
    """What the details of the line add, where they add anything for a reader."""
    if kind == Kind.SEVERITY_CHANGED:
        names = [severity.LABELS.get(data.get(key, 0), "?") for key in ("from", "to")]
        return " → ".join(names)
    if kind in (Kind.FIRED, Kind.FIRED_AGAIN, Kind.OPENED) and data.get("severity"):
        return severity.LABELS.get(data["severity"], "")
    return ", ".join(str(data[key]) for key in ("name", "comment", "text", "until") if data.get(key))
