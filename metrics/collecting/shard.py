"""One task's share of the due sources: claim, ask all at once, store each tenant's answers as they come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import msgspec
import structlog
from django.conf import settings
from django.utils.module_loading import import_string
from prometheus_client import Counter

from channels.validation import credentials_of
from metrics.collecting import schedule
from metrics.collecting.looking import Job, Outcome, look_at_all
from metrics.collecting.schedule import Claim
from metrics.collecting.storing import Asked, store
from metrics.collectors.base import Memory
from metrics.models import Source, SourceState
from tenants.context import tenant_context
from tenants.models import Tenant

log = structlog.get_logger(__name__)
#: All of them wait at the same time, so a shard takes as long as its slowest source.
SHARD_SIZE: Final = 64
TASK: Final = "metrics.tasks.collect_shard"

looks = Counter("metric_source_looks", "Looks at metric sources by what came of them", ["kind", "outcome"])


class Seat(msgspec.Struct, frozen=True):
    """A claimed source with all that is needed to ask it."""

    claim: Claim
    name: str
    labels: dict[str, str]
    failures: int
    job: Job


def collect_shard(most: int = SHARD_SIZE) -> int:
    """Ask up to so many due sources and store what they bring; return how many were asked.

    Where more are due than one task takes, the next task is called before this one begins to wait.
    """
    claims = schedule.claim(most)
    if len(claims) == most:
        _call_another()
    seats = _seats(claims)
    if not seats:
        return 0
    for outcomes in look_at_all([seat.job for seat in seats], claims[0].now):
        _store(seats, outcomes)
    return len(seats)


def _seats(claims: Sequence[Claim]) -> list[Seat]:
    """Read the sources of the claims, a tenant at a time; what is gone or switched off is left out."""
    by_tenant: dict[UUID, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_tenant[claim.tenant_id].append(claim)
    seats = []
    for tenant_id, own in by_tenant.items():
        with tenant_context(tenant_id):
            seats += _seats_of(tenant_id, own)
    return seats


def _seats_of(tenant_id: UUID, claims: Iterable[Claim]) -> list[Seat]:
    tenant = Tenant.objects.only("locale", "is_active").get(pk=tenant_id)
    if not tenant.is_active:
        return []
    by_id = {claim.source_id: claim for claim in claims}
    states = {state.source_id: state for state in SourceState.objects.filter(source_id__in=by_id)}
    seats = []
    for source in Source.objects.filter(pk__in=by_id, is_active=True):
        state = states.get(source.pk)
        job = Job(
            kind=source.kind,
            settings=source.settings,
            credentials=credentials_of(source),
            interval=source.interval.total_seconds(),
            timeout=float(source.timeout),
            memory=read_memory(bytes(state.memory) if state else b""),
            locale=tenant.locale,
        )
        failures = state.failures if state else 0
        seats.append(Seat(by_id[source.pk], source.name, source.labels, failures, job))
    return seats


def read_memory(body: bytes) -> Memory:
    """Return what a source remembers; what an older version wrote and nobody reads any more is forgotten."""
    try:
        return msgspec.msgpack.decode(body, type=Memory) if body else Memory()
    except msgspec.DecodeError:
        return Memory()


def _store(seats: Sequence[Seat], outcomes: Iterable[Outcome]) -> None:
    by_tenant: dict[UUID, list[Asked]] = defaultdict(list)
    for outcome in outcomes:
        seat = seats[outcome.number]
        looks.labels(seat.job.kind, outcome.error.trouble.value if outcome.error else "found").inc()
        by_tenant[seat.claim.tenant_id].append(
            Asked(seat.claim, seat.name, seat.labels, seat.job.interval, seat.failures, outcome)
        )
    for tenant_id, asked in by_tenant.items():
        try:
            store(tenant_id, asked)
        except Exception:  # one tenant's rows must not cost the others theirs; the lease brings these back
            log.exception("collected metrics not stored", tenant_id=str(tenant_id), sources=len(asked))


def _call_another() -> None:
    try:
        import_string(settings.TASK_PUBLISHER)(TASK)
    except Exception as error:  # whatever the transport raises: the rows are due, and beat calls again
        log.warning("next shard not called", error_class=type(error).__name__)
