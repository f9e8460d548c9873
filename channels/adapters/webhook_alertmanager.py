"""The webhook body of Prometheus Alertmanager, version 4, made from a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from channels.message import AlertLine, Message

#: What Alertmanager writes where an alert has no end yet.
NO_END = "0001-01-01T00:00:00Z"


def build_alertmanager(message: Message) -> bytes:
    """Return the JSON that receivers of Alertmanager's webhooks read."""
    lines = message.alerts
    return msgspec.json.encode(
        {
            "version": "4",
            "groupKey": _group_key(message),
            "truncatedAlerts": max(message.total_count - len(lines), 0),
            "status": _status(message.status),
            "receiver": message.tenant_slug or "default",
            "groupLabels": message.group_labels,
            "commonLabels": common(line.labels for line in lines),
            "commonAnnotations": common(line.annotations for line in lines),
            "externalURL": message.group_url,
            "alerts": [_alert(line, message) for line in lines],
        }
    )


def common(maps: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the pairs that all of the maps have."""
    shared: dict[str, str] | None = None
    for one in maps:
        shared = dict(one) if shared is None else {key: text for key, text in shared.items() if one.get(key) == text}
    return shared or {}


def _alert(line: AlertLine, message: Message) -> dict[str, object]:
    status = _status(line.status)
    ended = line.ends_at is not None and status == "resolved"
    return {
        "status": status,
        "labels": line.labels,
        "annotations": line.annotations,
        "startsAt": (line.starts_at or message.created_at).isoformat(),
        "endsAt": line.ends_at.isoformat() if ended and line.ends_at else NO_END,
        "generatorURL": line.generator_url,
        # Alertmanager's has 16 digits.
        "fingerprint": line.fingerprint[:16],
    }


def _group_key(message: Message) -> str:
    labels = ", ".join(f"{name}={msgspec.json.encode(text).decode()}" for name, text in message.group_labels.items())
    return f"{message.tenant_slug}/{message.group_id}:{{{labels}}}"


def _status(status: str) -> str:
    return "resolved" if status == "resolved" else "firing"
