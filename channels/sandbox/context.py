"""What a template sees: plain copies of a message, capped in length, number and depth."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from channels.message import AlertLine, Message
from channels.sanitise import clean, http_url, one_line, shorten

MAX_TEXT = 4_096
MAX_ITEMS = 256
MAX_ALERTS = 50
MAX_DEPTH = 6


def build_context(message: Message) -> dict[str, Any]:
    """Return the variables of a template; all of them dicts, lists, texts and numbers."""
    alerts = [_alert(alert) for alert in message.alerts[:MAX_ALERTS]]
    context = {
        "title": one_line(message.title, 500),
        "kind": message.kind,
        "reason": str(message.reason),
        "sent_reason": message.sent_reason,
        "status": message.status,
        "severity": message.severity_name,
        "severity_number": message.severity,
        "tenant": {"slug": message.tenant_slug, "name": message.tenant_name},
        "group": {"id": message.group_id, "url": http_url(message.group_url)},
        "labels": message.group_labels,
        "annotations": message.alerts[0].annotations if message.alerts else {},
        "alerts": alerts,
        "counts": {
            "firing": message.firing_count,
            "resolved": message.resolved_count,
            "total": message.total_count,
            "more": max(message.total_count - len(alerts), 0),
        },
        "links": [{"text": link.text, "url": http_url(link.url)} for link in message.links if http_url(link.url)],
        "created_at": _time(message.created_at),
        "locale": message.locale,
        "time_zone": message.time_zone,
        "delivery_id": message.delivery_id,
    }
    plain: dict[str, Any] = copy_plain(context)
    return plain


def copy_plain(value: Any, depth: int = 0) -> Any:
    """Return a copy made of plain types only, cut to the caps; anything else becomes text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict) and depth < MAX_DEPTH:
        pairs = list(value.items())[:MAX_ITEMS]
        return {_text(str(key)): copy_plain(item, depth + 1) for key, item in pairs}
    if isinstance(value, list | tuple) and depth < MAX_DEPTH:
        return [copy_plain(item, depth + 1) for item in value[:MAX_ITEMS]]
    return _text(str(value)) if depth <= MAX_DEPTH else ""


def _alert(alert: AlertLine) -> dict[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "status": alert.status,
        "severity": alert.severity_name,
        "severity_number": alert.severity,
        "name": alert.labels.get("alertname", ""),
        "labels": alert.labels,
        "annotations": alert.annotations,
        "starts_at": _time(alert.starts_at),
        "ends_at": _time(alert.ends_at),
        "url": http_url(alert.generator_url),
        "repeat_count": alert.repeat_count,
    }


def _time(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""


def _text(text: str) -> str:
    return shorten(clean(text), MAX_TEXT)
