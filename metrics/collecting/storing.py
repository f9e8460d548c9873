"""Stores what looks brought: samples, how each source is doing, and when it is asked next, in sets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
from django.db import connection

from metrics.collecting import schedule
from metrics.collecting.looking import Outcome
from metrics.collecting.schedule import Claim, Done
from metrics.collecting.tidying import Tidied, tidy
from metrics.collectors.base import Memory
from metrics.ingest import ingest
from metrics.models import Kind, SourceState
from metrics.points import SeriesPoints
from tenants.context import tenant_context
from tenants.isolation import new_id

#: After so many failures in a row a source is no longer merely having a bad moment.
FAILING_AFTER: Final = 3
SHOWN_SAMPLES: Final = 20
MAX_WORDS: Final = 500
MAX_MEMORY: Final = 512 * 1024
UP_METRIC: Final = "metric_source_up"

_REMEMBER: Final = """
INSERT INTO metric_source_state AS state
    (id, tenant_id, source_id, health, failures, trouble, words, looked_at, succeeded_at, took_ms, series, points,
     samples, memory)
SELECT new.id, %(tenant)s, new.source_id, new.health, new.failures, new.trouble, new.words, statement_timestamp(),
       CASE WHEN new.failures = 0 THEN statement_timestamp() END, new.took_ms, new.series, new.points,
       new.samples, decode(new.memory, 'hex')
FROM jsonb_to_recordset(%(rows)s) AS new (id uuid, source_id uuid, health text, failures int, trouble text,
     words text, took_ms int, series int, points int, samples jsonb, memory text)
WHERE EXISTS (SELECT FROM metric_source source WHERE source.tenant_id = %(tenant)s AND source.id = new.source_id)
ON CONFLICT (tenant_id, source_id) DO UPDATE SET
    health = excluded.health, failures = excluded.failures, trouble = excluded.trouble, words = excluded.words,
    looked_at = excluded.looked_at, took_ms = excluded.took_ms,
    succeeded_at = coalesce(excluded.succeeded_at, state.succeeded_at),
    series = CASE WHEN excluded.failures = 0 THEN excluded.series ELSE state.series END,
    points = CASE WHEN excluded.failures = 0 THEN excluded.points ELSE state.points END,
    samples = CASE WHEN excluded.failures = 0 THEN excluded.samples ELSE state.samples END,
    memory = CASE WHEN excluded.failures = 0 THEN excluded.memory ELSE state.memory END
"""


@dataclass(frozen=True)
class Asked:
    """A source that was asked: its claim, what of it matters afterwards, and what came of it."""

    claim: Claim
    name: str
    labels: dict[str, str]
    interval: float
    failures: int
    outcome: Outcome


def store(tenant_id: UUID, asked: Sequence[Asked]) -> int:
    """Store what a tenant's sources brought, in one transaction; return how many samples."""
    tidied = [_tidied(one) for one in asked]
    batch = [series for one in tidied for series in one.series] + [_up(one) for one in asked]
    states = [_state(one, found) for one, found in zip(asked, tidied, strict=True)]
    with tenant_context(tenant_id):
        ingest(tenant_id, batch)
        with connection.cursor() as cursor:
            cursor.execute(_REMEMBER, {"tenant": tenant_id, "rows": json.dumps(states)})
        schedule.finish([Done(one.claim, _wait(one)) for one in asked])
    return sum(one.points for one in tidied)


def sample_rows(tidied: Tidied) -> list[dict[str, Any]]:
    """Return some of the values, one for each series, to be looked at."""
    return [
        {
            "metric": one.metric,
            "labels": dict(one.labels),
            "value": float(one.values[-1]),
            "at": datetime.fromtimestamp(float(one.at[-1]), UTC).isoformat(),
        }
        for one in tidied.series[:SHOWN_SAMPLES]
    ]


def _tidied(one: Asked) -> Tidied:
    points = one.outcome.found.points if one.outcome.found else []
    return tidy(points, one.labels, one.outcome.at)


def _up(one: Asked) -> SeriesPoints:
    """Whether the source answered, as a series of its own: thresholds may watch it like any other."""
    value = 0.0 if one.outcome.error else 1.0
    labels = {"source": one.name}
    return SeriesPoints(UP_METRIC, labels, "", Kind.GAUGE, np.array([one.outcome.at]), np.array([value]))


def _failures(one: Asked) -> int:
    return one.failures + 1 if one.outcome.error else 0


def _wait(one: Asked) -> float:
    retry_after = one.outcome.error.retry_after if one.outcome.error else 0.0
    return schedule.wait_after(one.interval, _failures(one), retry_after)


def _state(one: Asked, tidied: Tidied) -> dict[str, Any]:
    found, error = one.outcome.found, one.outcome.error
    notes = [*found.notes, tidied.note()] if found else []
    words = error.detail if error else " ".join(note for note in notes if note)
    return {
        "id": str(new_id()),
        "source_id": str(one.claim.source_id),
        "health": _health(_failures(one), words),
        "failures": _failures(one),
        "trouble": error.trouble.value if error else "",
        "words": words[:MAX_WORDS].replace("\0", ""),
        "took_ms": one.outcome.took_ms,
        "series": len(tidied.series),
        "points": tidied.points,
        "samples": sample_rows(tidied),
        "memory": _memory(found.memory if found else Memory()).hex(),
    }


def _health(failures: int, words: str) -> SourceState.Health:
    if failures >= FAILING_AFTER:
        return SourceState.Health.FAILING
    return SourceState.Health.DEGRADED if failures or words else SourceState.Health.HEALTHY


def _memory(memory: Memory) -> bytes:
    body = msgspec.msgpack.encode(memory)
    if len(body) <= MAX_MEMORY:
        return body
    # Too much to keep: the page is read whole each time, and only how far it was read is remembered.
    return msgspec.msgpack.encode(Memory(asked=memory.asked, until=memory.until))
