"""Ends deliveries without a call to the provider, and tells of those that failed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from channels.delivery import measures
from channels.delivery.states import FAILED, TERMINAL, sources_of
from channels.models import DeliveryState
from tenants.context import current_tenant_id

log = structlog.get_logger(__name__)
Observer = Callable[[UUID, list[UUID], str], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """A delivery that reached a final state, with its channel's kind."""

    delivery_id: UUID
    state: str
    kind: str


_END = """
WITH gone AS (
    DELETE FROM delivery_queue q WHERE q.tenant_id = %(tenant)s AND q.delivery_id = ANY(%(ids)s::uuid[])
)
UPDATE delivery d SET state = %(state)s, state_reason = %(reason)s, finished_at = statement_timestamp()
FROM channel c
WHERE d.tenant_id = %(tenant)s AND d.id = ANY(%(ids)s::uuid[]) AND d.state = ANY(%(sources)s)
  AND c.tenant_id = d.tenant_id AND c.id = d.channel_id
RETURNING d.id, d.state, c.kind
"""


def end(delivery_ids: Sequence[UUID], state: DeliveryState, reason: str) -> list[UUID]:
    """End deliveries whose queue rows the caller holds locked; returns those that took the step."""
    if not delivery_ids:
        return []
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "ids": list(delivery_ids),
        "state": state.value,
        "reason": reason[:300],
        "sources": sources_of(state),
    }
    with connection.cursor() as cursor:
        cursor.execute(_END, values)
        ended = [Ended(*row) for row in cursor.fetchall()]
    announce(ended)
    return [one.delivery_id for one in ended]


def announce(ended: Iterable[Ended]) -> None:
    """Count what ended, and tell settings.DELIVERY_OBSERVERS of what failed, in the running transaction."""
    failed: dict[str, list[UUID]] = defaultdict(list)
    for one in ended:
        if one.state not in TERMINAL:
            continue
        measures.ENDED.labels(one.kind, one.state).inc()
        if one.state in FAILED:
            failed[one.state].append(one.delivery_id)
    for state, ids in failed.items():
        log.warning("deliveries_failed", state=str(state), count=len(ids), tenant=str(current_tenant_id()))
        for path in settings.DELIVERY_OBSERVERS:
            _tell(path, ids, str(state))


def _tell(path: str, ids: list[UUID], state: str) -> None:
    """Call one observer; what it raises must not undo the ending, else the message would be sent again."""
    observer: Observer = import_string(path)
    try:
        with transaction.atomic():
            observer(current_tenant_id(), ids, state)
    except Exception:
        measures.OBSERVER_FAILURES.inc()
        log.exception("delivery_observer_failed", observer=path, state=state, count=len(ids))
