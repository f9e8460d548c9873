"""What the past says about a detector: which of its would-be alerts fell together with trouble people acted on."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from metrics.backtest import Comparison, compare
from metrics.judging.due import database_time
from metrics.judging.rules import load_rules
from metrics.judging.states import moment
from metrics.judging.telling import LEARNED
from metrics.models import Threshold
from tenants.context import current_tenant_id, tenant_context
from tenants.models import Tenant

DAYS: Final = 30
#: What happened within so many seconds of each other is about the same trouble.
TOLERANCE: Final = 900.0
MOST_TROUBLES: Final = 5_000
#: Looked up once in so long.
EVERY: Final = timedelta(hours=20)
ROUND_SECONDS: Final = 30.0

_TROUBLES: Final = """
SELECT a.labels, extract(epoch FROM fired.at)::float8, extract(epoch FROM coalesce(a.resolved_at, now()))::float8,
    EXISTS (SELECT 1 FROM timeline_event acted
            WHERE acted.tenant_id = %(tenant)s AND acted.group_id = fired.group_id AND acted.at >= fired.at
              AND acted.at <= fired.at + interval '1 day'
              AND acted.kind IN ('acknowledged', 'assigned', 'comment', 'silenced'))
FROM timeline_event fired JOIN alert a ON a.tenant_id = %(tenant)s AND a.id = fired.alert_id
WHERE fired.tenant_id = %(tenant)s AND fired.kind IN ('fired', 'fired_again')
  AND fired.at >= now() - %(days)s * interval '1 day' AND NOT a.labels ? 'finding_kind'
ORDER BY fired.at DESC LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An alert of somebody else's that was told, and whether anybody did anything about it."""

    labels: Mapping[str, str]
    began: float
    ended: float
    was_acted_on: bool

    def is_about(self, labels: Mapping[str, str]) -> bool:
        """Whether it shares a label, other than those that name the alert itself."""
        return any(self.labels.get(name) == text for name, text in labels.items() if name != "alertname")


def weigh(answer: Comparison, troubles: Sequence[Trouble]) -> tuple[int, int]:
    """How many would-be alerts fell together with trouble people acted on, and with nothing but what they ignored.

    What fell together with nothing says nothing: it may be noise, or what nobody else saw.
    """
    useful = noise = 0
    for subject in answer.subjects:
        about = [one for one in troubles if one.is_about(subject.labels)]
        for episode in subject.now.found:
            beside = [one for one in about if episode.overlaps(one.began, one.ended, TOLERANCE)]
            useful += any(one.was_acted_on for one in beside)
            noise += bool(beside) and not any(one.was_acted_on for one in beside)
    return useful, noise


def gather_all() -> int:
    """Look up the past of detectors that have to earn trust, in all active tenants; return how many."""
    total, last = 0, time.monotonic() + ROUND_SECONDS
    for tenant_id in Tenant.objects.filter(is_active=True).order_by("?").values_list("id", flat=True):
        while time.monotonic() < last and gather(tenant_id):
            total += 1
    return total


def gather(tenant_id: UUID) -> bool:
    """Look up the past of one detector of a tenant whose turn it is; False when there is none."""
    with tenant_context(tenant_id):
        rules = {rule.id: rule for rule in load_rules(sorted(LEARNED)) if rule.paging == "earned"}
        threshold = next((one for one in Threshold._default_manager.filter(pk__in=rules) if _is_due(one)), None)
        if threshold is None:
            return False
        now = database_time()
        answer = compare(rules[threshold.pk], None, now - DAYS * 86_400.0, now)
        useful, noise = weigh(answer, read_troubles())
        threshold.evidence = {"useful": useful, "noise": noise, "at": moment(now).isoformat()}
        threshold.save(update_fields=["evidence"])
        return True


def _is_due(threshold: Threshold) -> bool:
    at = parse_datetime(str(threshold.evidence.get("at", "")))
    return at is None or timezone.now() - at > EVERY


def read_troubles() -> list[Trouble]:
    """The alerts of the last month that others sent, latest first."""
    with connection.cursor() as cursor:
        cursor.execute(_TROUBLES, {"tenant": str(current_tenant_id()), "days": DAYS, "most": MOST_TROUBLES})
        return [Trouble(json.loads(row[0]), *row[1:]) for row in cursor.fetchall()]
