"""A known alert as its sender may have sent it, to be explained as if it came again."""

from typing import Any

from alerting import severity
from alerting.fingerprint import fingerprint
from alerting.models import Alert, AlertingPolicy


def as_sent(alert: Alert) -> dict[str, Any]:
    """The alert in the native form, without what enrichment and the door added to it."""
    sent: dict[str, Any] = {"labels": _labels(alert), "annotations": _annotations(alert)}
    sent |= {"severity": severity.LABELS.get(alert.severity, "warning"), "status": alert.status}
    if "start_assumed" not in alert.flags:
        sent["starts_at"] = alert.starts_at.isoformat()
    if alert.generator_url:
        sent["generator_url"] = alert.generator_url
    if alert.metric_name and alert.metric_value is not None:
        sent["metric"] = {"name": alert.metric_name, "value": alert.metric_value}
    return sent


def _labels(alert: Alert) -> dict[str, str]:
    """The labels whose fingerprint is that of the alert; where none fits, those enrichment did not write."""
    policy = AlertingPolicy.objects.first()
    ignored = frozenset(policy.ignored_labels) if policy else frozenset()
    written = {name for step in alert.enrichment or () for name in step.get("labels") or ()}
    own = {name: value for name, value in alert.labels.items() if name not in written}
    bare = {name: value for name, value in own.items() if name != "severity"}
    for labels in (bare, own, alert.labels):
        if labels and fingerprint(labels, ignored) == bytes(alert.fingerprint):
            return dict(labels)
    return own or dict(alert.labels)


def _annotations(alert: Alert) -> dict[str, str]:
    written = {name for step in alert.enrichment or () for name in step.get("annotations") or ()}
    return {name: value for name, value in alert.annotations.items() if name not in written}
