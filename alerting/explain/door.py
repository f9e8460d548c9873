"""The door, told: what it reads out of what was sent, what it mended, and what it refuses."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting import severity
from alerting.decoding import Flag, InputRefused, ItemError, NativeAlert, decode_one
from alerting.explain.story import Detail, Step, StepKind, Verdict
from alerting.explain.words import Clock, pairs, shown
from tenants.strict_json import dumps, loads


def receive(body: bytes, now: datetime) -> tuple[NativeAlert | None, list[ItemError]]:
    """Decode one native alert as the door does: the alert, or what is wrong with it."""
    try:
        decoded = decode_one("native", body, now)
    except InputRefused as refused:
        return None, refused.errors or [ItemError(None, "", refused.code, refused.detail)]
    return (decoded.alerts[0] if decoded.alerts else None), decoded.rejected


def refusal(errors: list[ItemError]) -> Step:
    """The step of an alert that the door turns away."""
    count = len(errors)
    sentence = ngettext(
        "The door would not take this alert: it has %(count)d fault. It would wait in quarantine to be mended.",
        "The door would not take this alert: it has %(count)d faults. It would wait in quarantine to be mended.",
        count,
    )
    details = tuple(
        Detail(verdict=Verdict.FAULT, sentence=error.message, code=error.code, data={"pointer": error.pointer})
        for error in errors
    )
    return Step(
        kind=StepKind.DOOR,
        verdict=Verdict.FAULT,
        title=_("At the door"),
        sentence=sentence % {"count": count},
        details=details,
    )


def passage(body: bytes, alert: NativeAlert, clock: Clock) -> Step:
    """The step of an alert that comes in: what was changed on the way."""
    sent = loads(body)
    changes = list(_changes(sent, alert, clock))
    if changes:
        sentence = ngettext(
            "The door takes it, with %(count)d change.", "The door takes it, with %(count)d changes.", len(changes)
        ) % {"count": len(changes)}
    else:
        sentence = _("The door takes it as it is.")
    facts = Detail(
        verdict=Verdict.NOTED,
        code="accepted",
        sentence=_("It is %(status)s with severity %(severity)s and the labels %(labels)s.")
        % {
            "status": _STATUS[alert.status](),
            "severity": severity.LABELS[alert.severity],
            "labels": pairs(alert.labels),
        },
        data={"labels": alert.labels, "severity": severity.LABELS[alert.severity], "status": alert.status},
    )
    return Step(
        kind=StepKind.DOOR,
        verdict=Verdict.CHANGED if changes else Verdict.PASSED,
        title=_("At the door"),
        sentence=sentence,
        details=(facts, *changes),
    )


_STATUS = {"firing": lambda: _("firing"), "resolved": lambda: _("resolved")}


def _changes(sent: Mapping[str, Any], alert: NativeAlert, clock: Clock) -> list[Detail]:
    found: list[Detail] = []
    for field, kept in (("labels", alert.labels), ("annotations", alert.annotations)):
        found.extend(_cleaned(field, sent.get(field) or {}, kept))
    found.extend(_times(sent, alert, clock))
    found.extend(_severity(sent, alert))
    if alert.flags & Flag.URL_DROPPED:
        found.append(_change("url_dropped", _("The link was left out: it is no plain web address."), {}))
    return found


def _cleaned(field: str, sent: Mapping[str, str], kept: Mapping[str, str]) -> list[Detail]:
    found: list[Detail] = []
    for name, value in sent.items():
        if name not in kept:
            sentence = _("%(name)s is empty, which is the same as not there; it was left out.")
            found.append(_change("empty_dropped", sentence % {"name": name}, {"field": field, "name": name}))
        elif kept[name] != value.replace("\r\n", "\n"):
            sentence = _("Hidden characters were taken out of %(name)s; it now reads “%(value)s”.")
            data = {"field": field, "name": name, "before": value, "after": kept[name]}
            found.append(_change("text_cleaned", sentence % {"name": name, "value": shown(kept[name])}, data))
    return found


def _times(sent: Mapping[str, Any], alert: NativeAlert, clock: Clock) -> list[Detail]:
    if not alert.flags & Flag.TIME_CLAMPED:
        return []
    found: list[Detail] = []
    for field, kept in (("starts_at", alert.starts_at), ("ends_at", alert.ends_at)):
        given = sent.get(field)
        if given is None or kept is None or msgspec.convert(given, datetime) == kept:
            continue
        sentence = _("%(field)s %(given)s is too far off to be true; %(kept)s stands in its place.")
        values = {"field": field, "given": shown(str(given)), "kept": clock.at(kept)}
        found.append(_change("time_clamped", sentence % values, {"field": field, "before": given, "after": kept}))
    return found


def _severity(sent: Mapping[str, Any], alert: NativeAlert) -> list[Detail]:
    word = sent.get("severity") or (sent.get("labels") or {}).get("severity")
    name = severity.LABELS[alert.severity]
    if alert.flags & Flag.SEVERITY_UNKNOWN:
        sentence = _("“%(word)s” is no severity we know; it counts as %(name)s.")
        return [_change("severity_unknown", sentence % {"word": shown(str(word)), "name": name}, {"before": word})]
    if word is None:
        return [_change("severity_assumed", _("It names no severity; it counts as %(name)s.") % {"name": name}, {})]
    if word != name:
        sentence = _("Severity “%(word)s” means %(name)s here.")
        return [_change("severity_mapped", sentence % {"word": shown(str(word)), "name": name}, {"before": word})]
    return []


def _change(code: str, sentence: str, data: dict[str, Any]) -> Detail:
    return Detail(verdict=Verdict.CHANGED, sentence=sentence, code=code, data=data)


def as_body(alert: Mapping[str, Any]) -> bytes:
    """An alert given as a JSON value, as the bytes the door would read."""
    return dumps(dict(alert))
