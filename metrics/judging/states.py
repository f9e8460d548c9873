"""Where subjects stand, read and written in sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db import connection

from metrics.judging.outcomes import Outcome
from metrics.judging.subjects import Subject
from metrics.thresholds.phases import Phase, Standing
from tenants.context import current_tenant_id
from tenants.isolation import new_id

Identity = tuple[UUID, bytes]

# One look into the unique key for each pair; a join on both columns alone would let the planner read every state.
_READ: Final = """
SELECT s.threshold_id, s.subject, s.phase, s.since, s.until, s.model_kind, s.model_until, s.fitted_at
FROM unnest(%s::uuid[], %s::bytea[]) AS wanted (threshold_id, subject)
JOIN detector_state s ON s.tenant_id = %s AND s.threshold_id = wanted.threshold_id AND s.subject = wanted.subject
"""
_WRITE: Final = """
INSERT INTO detector_state (id, tenant_id, threshold_id, subject, series_id, phase, since, until)
SELECT new.id, %s, new.threshold_id, new.subject, new.series_id, new.phase, new.since, new.until
FROM unnest(%s::uuid[], %s::uuid[], %s::bytea[], %s::uuid[], %s::int[], %s::timestamptz[], %s::timestamptz[])
     AS new (id, threshold_id, subject, series_id, phase, since, until)
ON CONFLICT (tenant_id, threshold_id, subject) DO UPDATE
SET phase = excluded.phase, since = excluded.since, until = excluded.until
"""
_FORGET: Final = """
DELETE FROM detector_state s USING unnest(%s::uuid[], %s::bytea[]) AS gone (threshold_id, subject)
WHERE s.tenant_id = %s AND s.threshold_id = gone.threshold_id AND s.subject = gone.subject AND s.model IS NULL
"""


CALM: Final = Standing()


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a subject; `model_kind` is empty while nothing was learned for it."""

    standing: Standing = CALM
    model_kind: str = ""
    model_until: datetime | None = None
    fitted_at: datetime | None = None


def read_states(identities: Iterable[Identity]) -> dict[Identity, Known]:
    """The stored states of these subjects, in one statement."""
    wanted = list(identities)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_READ, [[str(one[0]) for one in wanted], [one[1] for one in wanted], str(current_tenant_id())])
        rows = cursor.fetchall()
    return {
        (row[0], bytes(row[1])): Known(Standing(Phase(row[2]), _unix(row[3]), _unix(row[4])), *row[5:]) for row in rows
    }


def write_outcomes(outcomes: Sequence[Outcome], known: dict[Identity, Known], *, also_calm: bool = False) -> None:
    """Keep what is not calm; forget what has become calm, unless a model was learned for it or it shall be kept."""
    kept = [one for one in outcomes if also_calm or one.must_be_kept or _has_model(one, known)]
    gone = [] if also_calm else [one for one in outcomes if not one.must_be_kept and not _has_model(one, known)]
    with connection.cursor() as cursor:
        if kept:
            cursor.execute(_WRITE, [str(current_tenant_id()), *_columns(kept)])
        if gone:
            ids = [str(one.subject.rule.id) for one in gone]
            cursor.execute(_FORGET, [ids, [one.subject.key for one in gone], str(current_tenant_id())])


def _has_model(outcome: Outcome, known: dict[Identity, Known]) -> bool:
    stored = known.get(outcome.subject.identity)
    return stored is not None and bool(stored.model_kind)


def _columns(outcomes: Sequence[Outcome]) -> list[list[object]]:
    return [
        [str(new_id()) for _one in outcomes],
        [str(one.subject.rule.id) for one in outcomes],
        [one.subject.key for one in outcomes],
        [series_id(one.subject) for one in outcomes],
        [int(one.after.phase) for one in outcomes],
        [moment(one.after.since) for one in outcomes],
        [moment(one.after.until) for one in outcomes],
    ]


def series_id(subject: Subject) -> str | None:
    """The one series of a subject; None where there are several."""
    return str(subject.only.id) if subject.only is not None else None


def moment(unix: float) -> datetime:
    """Unix seconds as a time."""
    return datetime.fromtimestamp(unix, UTC)


def _unix(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0
