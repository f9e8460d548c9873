"""Builds PagerDuty's events within PagerDuty's limits, whatever the message holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from channels.message import AlertLine, Message
from channels.sanitise import clean, http_url, one_line, shorten

if TYPE_CHECKING:
    from channels.adapters.base import Outgoing

MAX_SUMMARY, MAX_KEY, MAX_FIELD = 1024, 255, 255
#: PagerDuty takes 512 KB; what surrounds the details needs a little of it.
MAX_DETAILS_BYTES = 400 * 1024
MAX_LINKS, MAX_IMAGES, MAX_ALERTS = 10, 5, 50
MAX_PAIRS, MAX_NAME, MAX_VALUE = 30, 80, 500
SEVERITIES = ((40, "critical"), (30, "error"), (20, "warning"))
IMAGE_ANNOTATIONS = ("image_url", "chart_url")
SOURCES = ("instance", "host", "service", "cluster")


def dedup_key(message: Message, delivery_id: str) -> str:
    """Return the key of the incident. A group that fires anew after its end is a new group, so its id is the cycle."""
    owner = message.tenant_slug or "-"
    return f"{owner}:{message.group_id or f'test:{delivery_id}'}"[:MAX_KEY]


def build_trigger(outgoing: Outgoing[Any, Any]) -> dict[str, Any]:
    """Return the properties of a trigger event beside its key."""
    message = outgoing.message
    payload: dict[str, Any] = {
        "summary": summary_of(outgoing),
        "source": _source(outgoing),
        "severity": severity_of(message.severity),
        "timestamp": message.created_at.isoformat(),
        "custom_details": fit_details(message),
    }
    labels = message.group_labels
    for name, value in (
        ("component", outgoing.settings.component or labels.get("component", "")),
        ("group", labels.get("service", "") or labels.get("cluster", "")),
        ("class", outgoing.settings.event_class or labels.get("alertname", "")),
    ):
        if text := one_line(value, MAX_FIELD):
            payload[name] = text
    event: dict[str, Any] = {"payload": payload, "client": one_line(message.tenant_name, 80) or "Alerting"}
    if url := http_url(message.group_url):
        event["client_url"] = url
    if links := links_of(message):
        event["links"] = links
    if images := images_of(message):
        event["images"] = images
    return event


def build_change(outgoing: Outgoing[Any, Any]) -> dict[str, Any]:
    """Return payload, links and images of a change event."""
    message = outgoing.message
    return {
        "payload": {
            "summary": summary_of(outgoing),
            "source": _source(outgoing),
            "timestamp": message.created_at.isoformat(),
            "custom_details": fit_details(message),
        },
        "links": links_of(message),
        "images": images_of(message),
    }


def summary_of(outgoing: Outgoing[Any, Any]) -> str:
    """Return the one line that people read first."""
    return one_line(outgoing.part("summary"), MAX_SUMMARY) or one_line(outgoing.message.title, MAX_SUMMARY) or "Alert"


def severity_of(number: int) -> str:
    """Return PagerDuty's name for a severity."""
    return next((name for floor, name in SEVERITIES if number >= floor), "info")


def links_of(message: Message) -> list[dict[str, str]]:
    """Return our page of the group and what the alerts link to."""
    wanted = [("Group", message.group_url), *((link.text, link.url) for link in message.links)]
    found = {http_url(url): one_line(text, 200) or "Link" for text, url in wanted if http_url(url)}
    return [{"href": url, "text": text} for url, text in found.items()][:MAX_LINKS]


def images_of(message: Message) -> list[dict[str, str]]:
    """Return pictures that alerts carry; PagerDuty shows those with https alone."""
    found: dict[str, str] = {}
    for alert in message.alerts:
        for name in IMAGE_ANNOTATIONS:
            url = http_url(alert.annotations.get(name, ""))
            if url.startswith("https://"):
                found.setdefault(url, one_line(alert.labels.get("alertname", "")) or "Chart")
    href = http_url(message.group_url)
    extra = {"href": href} if href else {}
    return [{"src": url, "alt": text, **extra} for url, text in found.items()][:MAX_IMAGES]


def fit_details(message: Message) -> dict[str, Any]:
    """Return the details with as many alerts as fit; how many were left out is said."""
    lines = message.alerts[:MAX_ALERTS]
    while True:
        details = _details(message, lines)
        if len(msgspec.json.encode(details)) * 2 <= MAX_DETAILS_BYTES or not lines:
            return details
        # Twice the length: PagerDuty's client writes every character beyond ASCII as \uXXXX.
        lines = lines[: len(lines) // 2]


def _details(message: Message, lines: list[AlertLine]) -> dict[str, Any]:
    left_out = max(message.total_count, len(message.alerts)) - len(lines)
    return {
        "firing": message.firing_count,
        "resolved": message.resolved_count,
        "reason": shorten(clean(message.sent_reason), MAX_VALUE),
        "labels": _pairs(message.group_labels),
        "alerts": [_alert(line) for line in lines],
        **({"alerts_left_out": left_out} if left_out > 0 else {}),
    }


def _alert(line: AlertLine) -> dict[str, Any]:
    return {
        "status": line.status,
        "severity": line.severity_name,
        "labels": _pairs(line.labels),
        "annotations": _pairs(line.annotations),
        **({"since": line.starts_at.isoformat()} if line.starts_at else {}),
        **({"url": line.generator_url} if http_url(line.generator_url) else {}),
    }


def _pairs(pairs: dict[str, str]) -> dict[str, str]:
    kept = list(pairs.items())[:MAX_PAIRS]
    return {one_line(name, MAX_NAME): shorten(clean(value), MAX_VALUE) for name, value in kept}


def _source(outgoing: Outgoing[Any, Any]) -> str:
    message = outgoing.message
    first = message.alerts[0].labels if message.alerts else {}
    named = [message.group_labels.get(name, "") or first.get(name, "") for name in SOURCES]
    wanted = [outgoing.settings.source, *named, message.tenant_name, message.tenant_slug]
    return next((one_line(text, MAX_FIELD) for text in wanted if one_line(text)), "alerting")
