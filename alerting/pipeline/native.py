"""A decoded alert written back in the native format, for quarantine: there a person can fix it and send it again."""

from typing import Any

import msgspec

from alerting import severity
from alerting.decoding import NativeAlert


def native_json(alert: NativeAlert) -> bytes:
    """The alert as it could have been sent to the native door."""
    plain: dict[str, Any] = {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "severity": severity.LABELS.get(alert.severity, "warning"),
        "status": alert.status,
    }
    for name in ("starts_at", "ends_at", "generator_url"):
        value = getattr(alert, name)
        if value is not None:
            plain[name] = value
    if alert.metric_name is not None:
        plain["metric"] = {"name": alert.metric_name, "value": alert.metric_value}
    return msgspec.json.encode(plain)
