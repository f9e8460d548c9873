"""Models of entities as they are stored: read once for a batch, and kept in memory until a newer fit is there."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import connection

from alerting.scoring.numerics.packing import BadModel
from metrics.entities.grid import Piece
from metrics.entities.model import EntityModel
from metrics.judging.past import Samples
from metrics.judging.states import Identity, Known
from metrics.judging.subjects import SeriesRow, Subject
from metrics.models import Kind
from metrics.seasons import Calendar
from tenants.context import current_tenant_id

log = structlog.get_logger(__name__)

KIND: Final = "entity"
#: Of an entity of which too little is known yet.
TOO_LITTLE: Final = "too_little"
#: A model takes some hundred kilobytes.
MOST_KEPT: Final = 500

_READ: Final = """
SELECT s.threshold_id, s.subject, s.model FROM unnest(%s::uuid[], %s::bytea[]) AS wanted (threshold_id, subject)
JOIN detector_state s ON s.tenant_id = %s AND s.threshold_id = wanted.threshold_id AND s.subject = wanted.subject
WHERE s.model_kind = %s
"""

Key = tuple[UUID, Identity]
# What is kept is never changed, so a transaction that fails leaves nothing behind here.
_kept: Final[OrderedDict[Key, tuple[datetime | None, Calendar, EntityModel]]] = OrderedDict()


def models_of(
    subjects: Sequence[Subject], states: Mapping[Identity, Known], calendar: Calendar
) -> dict[Identity, EntityModel]:
    """The models of subjects that have one: from memory, else from their bytes in one statement."""
    found: dict[Identity, EntityModel] = {}
    missing: list[Identity] = []
    for subject in subjects:
        known = states.get(subject.identity)
        if known is None or known.model_kind != KIND:
            continue
        kept = _kept.get((current_tenant_id(), subject.identity))
        if kept is not None and kept[:2] == (known.fitted_at, calendar):
            _kept.move_to_end((current_tenant_id(), subject.identity))
            found[subject.identity] = kept[2]
        else:
            missing.append(subject.identity)
    for identity, data in _read(missing).items():
        try:
            model = EntityModel.load(data, calendar)
        except BadModel as error:
            # Of an older version: it is fitted anew in the background.
            log.warning("model unreadable", threshold=str(identity[0]), error=str(error))
            continue
        found[identity] = model
        _kept[current_tenant_id(), identity] = (states[identity].fitted_at, calendar, model)
    while len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)
    return found


def model_of(threshold_id: UUID, subject: bytes, calendar: Calendar) -> EntityModel | None:
    """The model of one entity as it is stored now; None while there is none."""
    for data in _read([(threshold_id, subject)]).values():
        with suppress(BadModel):
            return EntityModel.load(data, calendar)
    return None


def forget() -> None:
    """Forget all that is kept in memory."""
    _kept.clear()


def _read(identities: Sequence[Identity]) -> dict[Identity, bytes]:
    if not identities:
        return {}
    tenant = str(current_tenant_id())
    params: list[Any] = [[str(one[0]) for one in identities], [one[1] for one in identities], tenant, KIND]
    with connection.cursor() as cursor:
        cursor.execute(_READ, params)
        return {(row[0], bytes(row[1])): bytes(row[2]) for row in cursor.fetchall() if row[2] is not None}


def pieces_of(series: Sequence[SeriesRow], samples: Samples) -> list[Piece]:
    """Those of these series that have samples."""
    return [
        Piece(row.metric, *samples[row.number], row.interval, row.kind == Kind.COUNTER)
        for row in series
        if row.number in samples
    ]
