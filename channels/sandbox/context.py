"""What a template sees: plain copies of a message, capped in length, number and depth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from channels.languages import Voice, voice_of
from channels.languages.alert_types import NAMES
from channels.languages.voice import SEVERITIES, in_words
from channels.message import AlertLine, Link, Message, Reason
from channels.sanitise import clean, http_url, one_line, shorten

MAX_TEXT = 4_096
MAX_ITEMS = 256
MAX_ALERTS = 50
MAX_DEPTH = 6
FINDING = "finding_id"


def build_context(message: Message, voice: Voice | None = None) -> dict[str, Any]:
    """Return the variables of a template; all of them dicts, lists, texts and numbers.

    `status` and `severity` are the names of the API, for templates to compare with; what ends in `_title` is
    written in the reader's language.
    """
    voice = voice or voice_of(message)
    alerts = [_alert(alert, message.group_labels, voice) for alert in message.alerts[:MAX_ALERTS]]
    context: dict[str, Any] = {
        "title": one_line(message.title, 500),
        "kind": message.kind,
        "reason": str(message.reason),
        "headline": _headline(message, alerts, voice),
        "sent_reason": sent_reason(message, voice),
        "status": message.status,
        "status_title": voice.status(message.status),
        "severity": SEVERITIES.get(message.severity, message.severity_name),
        "severity_title": voice.severity(message.severity, message.severity_name),
        "severity_number": message.severity,
        "tenant": {"slug": message.tenant_slug, "name": message.tenant_name},
        "group": {"id": message.group_id, "url": http_url(message.group_url)},
        "labels": message.group_labels,
        "annotations": alerts[0]["annotations"] if alerts else {},
        "counts": {
            "firing": message.firing_count,
            "resolved": message.resolved_count,
            "total": message.total_count,
            "text": counts_text(message, voice),
            "more": max(message.total_count - len(alerts), 0),
        },
        "links": [
            {"text": link_text(link, voice), "url": http_url(link.url)} for link in message.links if http_url(link.url)
        ],
        "planned": [
            {"name": one_line(work.name, 200), "starts_at": _time(work.starts_at), "ends_at": _time(work.ends_at)}
            for work in message.planned
        ],
        "created_at": _time(message.created_at),
        "locale": voice.locale,
        "time_zone": message.time_zone,
        "delivery_id": message.delivery_id,
        "ack_url": http_url(message.ack_url),
        "judge_url": http_url(message.judge_url),
        "consent_url": http_url(message.consent_url),
        "may_track": message.may_track,
    }
    _fit(context)
    for alert in alerts:
        _fit(alert)
    context["alerts"] = alerts
    return context


def link_text(link: Link, voice: Voice) -> str:
    """Return what a link is called; those we made ourselves are called so in the reader's language."""
    return voice.t(f"buttons.{link.role}") if link.role and voice.has(f"buttons.{link.role}") else link.text


def counts_text(message: Message, voice: Voice) -> str:
    """Return how many fire and how many are resolved; a zero is not worth reading unless both are."""
    firing = voice.t("counts.firing", n=message.firing_count)
    resolved = voice.t("counts.resolved", n=message.resolved_count)
    if message.firing_count and message.resolved_count:
        return voice.t("line.both", first=firing, second=resolved)
    return resolved if message.resolved_count else firing


def _subject(alert: AlertLine, shared: Mapping[str, str]) -> str:
    """What tells this alert from the others of its group: a label that the group does not share."""
    own = (alert.labels.get(name) for name in NAMES.subject if name not in shared)
    return next(filter(None, own), "") or alert.labels.get("alertname", "") or alert.fingerprint


def _headline(message: Message, alerts: list[dict[str, Any]], voice: Voice) -> str:
    """A message about one alert alone is headed by what its type says, any other by the title of the group."""
    said = voice.say(message.heading) if message.heading else ""
    if said:
        return one_line(said, 500)
    is_alone = len(alerts) == 1 and message.total_count <= 1
    title = voice.heading(alerts[0], message.title) if is_alone else message.title
    return one_line(title, 500) or voice.t("line.unnamed")


def sent_reason(message: Message, voice: Voice) -> str:
    """Return why the message goes out, in the reader's language."""
    if message.reason is Reason.TEST:
        # Says who asked for it.
        return message.sent_reason or voice.reason(message.reason, "")
    return in_words(message.why, voice) or voice.reason(str(message.reason), message.sent_reason)


def copy_plain(value: Any, depth: int = 0) -> Any:
    """Return a copy made of plain types only, cut to the caps; anything else becomes text."""
    kind = type(value)
    if kind is str:
        # Nearly every value, and nearly every one is fit as it is.
        return _text(value) if depth <= MAX_DEPTH else ""
    if value is None or kind is int or kind is bool or kind is float:
        return value
    if isinstance(value, dict) and depth < MAX_DEPTH:
        return _copy_dict(value, depth + 1)
    if isinstance(value, list | tuple) and depth < MAX_DEPTH:
        return [copy_plain(item, depth + 1) for item in value[:MAX_ITEMS]]
    return _text(str(value)) if depth <= MAX_DEPTH else ""


def _fit(made: dict[str, Any]) -> None:
    """Clean and cut the values of a dict that was made here, in its place; what came with the message is copied."""
    for key, value in made.items():
        if type(value) is not str:
            made[key] = copy_plain(value, 1)
        elif not (len(value) <= MAX_TEXT and value.isascii() and value.isprintable()):
            made[key] = _text(value)


def _copy_dict(value: dict[Any, Any], depth: int) -> dict[str, Any]:
    """Copy a dict, the texts in it without a call for each: nearly every value is one and fit as it is."""
    pairs = value.items() if len(value) <= MAX_ITEMS else list(value.items())[:MAX_ITEMS]
    found = {}
    for key, item in pairs:
        if type(item) is not str:
            item = copy_plain(item, depth)
        elif not (len(item) <= MAX_TEXT and item.isascii() and item.isprintable() and depth <= MAX_DEPTH):
            item = _text(item) if depth <= MAX_DEPTH else ""
        found[_key(key) if type(key) is str else _text(str(key))] = item
    return found


@lru_cache(maxsize=4096)
def _key(key: str) -> str:
    return _text(key)


def _alert(alert: AlertLine, shared: Mapping[str, str], voice: Voice) -> dict[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "status": alert.status,
        "status_title": voice.status(alert.status),
        "severity": SEVERITIES.get(alert.severity, alert.severity_name),
        "severity_title": voice.severity(alert.severity, alert.severity_name),
        "severity_number": alert.severity,
        "subject": _subject(alert, shared),
        "name": alert.labels.get("alertname", ""),
        "labels": alert.labels,
        "annotations": _annotations(alert, voice),
        "starts_at": _time(alert.starts_at),
        "ends_at": _time(alert.ends_at),
        "lasted_seconds": _lasted(alert),
        "url": http_url(alert.generator_url),
        "repeat_count": alert.repeat_count,
    }


def _annotations(alert: AlertLine, voice: Voice) -> dict[str, str]:
    """What an alert carries; the summary of a finding of our own falls away where a sentence in the reader's language
    says the same, for it was written in the tenant's."""
    given = alert.annotations
    if FINDING not in given or "summary" not in given:
        return given
    facts = {"status": alert.status, "labels": alert.labels, "annotations": given}
    return {name: text for name, text in given.items() if name != "summary"} if voice.sentences(facts) else given


def _lasted(alert: AlertLine) -> int:
    if alert.starts_at is None or alert.ends_at is None:
        return 0
    return max(int((alert.ends_at - alert.starts_at).total_seconds()), 0)


def _time(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""


def _text(text: str) -> str:
    if len(text) <= MAX_TEXT and text.isascii() and text.isprintable():
        return text
    return shorten(clean(text), MAX_TEXT)
