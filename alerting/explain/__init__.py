"""Explain: every decision about an alert in words, before it is sent or after it came; nothing is written."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.utils import timezone

from alerting.exclusive import moment
from alerting.explain import past
from alerting.explain.door import as_body
from alerting.explain.foretelling import foretell
from alerting.explain.readonly import read_only
from alerting.explain.story import Destination, Detail, Explanation, Rendered, Step, StepKind, Subject, Verdict
from alerting.models import Alert, AlertGroup

__all__ = [
    "Destination",
    "Detail",
    "Explanation",
    "Rendered",
    "Step",
    "StepKind",
    "Subject",
    "Verdict",
    "explain",
    "explain_alert",
    "explain_group",
    "is_near",
]

YEAR: Final = timedelta(days=366)


def is_near(at: datetime) -> bool:
    """Whether a time is near enough to be asked about: within a year; only near ones can be worked out."""
    return abs(at - timezone.now()) <= YEAR


def explain(tenant_id: UUID, alert: Mapping[str, Any] | bytes, at: datetime | None = None) -> Explanation:
    """What would become of an alert in the native form, were it sent now (or at `at`)."""
    body = alert if isinstance(alert, bytes) else as_body(alert)
    with read_only(tenant_id):
        now = moment(tenant_id)
        return foretell(body, now if at is None else msgspec.structs.replace(now, now=at))


def explain_alert(tenant_id: UUID, alert_id: UUID) -> Explanation | None:
    """What was decided about a known alert and what became of its messages; None when there is no such alert."""
    with read_only(tenant_id):
        found = Alert.objects.filter(pk=alert_id).first()
        return None if found is None else past.of_alert(found, moment(tenant_id))


def explain_group(tenant_id: UUID, group_id: UUID) -> Explanation | None:
    """The same for a group."""
    with read_only(tenant_id):
        found = AlertGroup.objects.filter(pk=group_id).first()
        return None if found is None else past.of_group(found, moment(tenant_id))
