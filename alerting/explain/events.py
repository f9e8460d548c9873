"""One line of a timeline as a sentence."""

from typing import Any, Final

from django.utils.translation import gettext as _

from alerting import severity
from alerting.explain.story import Detail, Verdict
from alerting.explain.words import Clock
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
        sentence=_("%(at)s – %(what)s") % {"at": clock.at(event.at), "what": _what(event)},
        data={"reason": event.reason, **(event.data or {})},
    )


def _what(event: TimelineEvent) -> str:
    text = str(kind_title(event.kind))
    if event.reason:
        text = _("%(what)s: %(why)s") % {"what": text, "why": why_title(event.reason)}
    if more := _more(event.kind, event.data or {}):
        text = f"{text} ({more})"
    if event.actor:
        text = _("%(what)s, by %(actor)s") % {"what": text, "actor": event.actor}
    return text


def _more(kind: str, data: dict[str, Any]) -> str:
    """What the details of the line add, where they add anything for a reader."""
    if kind == Kind.SEVERITY_CHANGED:
        names = [severity.LABELS.get(data.get(key, 0), "?") for key in ("from", "to")]
        return " → ".join(names)
    if kind in (Kind.FIRED, Kind.FIRED_AGAIN, Kind.OPENED) and data.get("severity"):
        return severity.LABELS.get(data["severity"], "")
    named = [str(data[key]) for key in ("name", "channel", "recipient", "comment", "text", "until") if data.get(key)]
    return ", ".join(named)
