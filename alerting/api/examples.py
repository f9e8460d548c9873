"""Examples of what senders send, shown in the OpenAPI document."""

from typing import Final

from drf_spectacular.utils import OpenApiExample

_ALERT: Final = {
    "labels": {"alertname": "DiskAlmostFull", "instance": "db-primary-1", "team": "payments"},
    "annotations": {"summary": "/var/lib/pg on db-primary-1 is 96 % full"},
    "severity": "critical",
    "status": "firing",
    "starts_at": "2026-03-14T02:35:00Z",
    "generator_url": "https://prometheus.example.com/graph?g0.expr=disk",
    "metric": {"name": "disk_used_percent", "value": 96.2},
}
_RESOLVED: Final = {"labels": _ALERT["labels"], "status": "resolved", "ends_at": "2026-03-14T03:10:00Z"}
_ACCEPTED: Final = {"id": "01a20922-ebbc-7921-87a3-ad566746d6c6", "accepted": 2, "rejected": 0, "errors": []}

NATIVE: Final = [
    OpenApiExample("Two alerts, one of them over", [_ALERT, _RESOLVED], request_only=True),
    OpenApiExample("Accepted", _ACCEPTED, response_only=True, status_codes=["202"]),
]
ALERTMANAGER: Final = [
    OpenApiExample(
        "A group of one alert",
        {
            "version": "4",
            "status": "firing",
            "receiver": "alerting",
            "groupLabels": {"alertname": "DiskAlmostFull"},
            "alerts": [
                {
                    "status": "firing",
                    "labels": _ALERT["labels"],
                    "annotations": _ALERT["annotations"],
                    "startsAt": "2026-03-14T02:35:00Z",
                    "endsAt": "0001-01-01T00:00:00Z",
                    "generatorURL": _ALERT["generator_url"],
                    "fingerprint": "0123456789abcdef",
                }
            ],
        },
        request_only=True,
    ),
    OpenApiExample("Accepted", _ACCEPTED | {"accepted": 1}, response_only=True, status_codes=["202"]),
]
