"""Takes samples in: finds their series, looks at their quality, stores them, and marks what is to be done with them.

A fixed number of statements whatever the size of the batch; one writer at a time per tenant.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np
from django.conf import settings

from metrics import judged, queueing
from metrics.judged import Batch
from metrics.points import Integers, Parcel, SeriesPoints, pack
from metrics.quality.screening import Limits
from metrics.storage import chunks, directory, flaws, rows, states
from tenants.context import tenant_context

__all__ = ["IngestReport", "SeriesPoints", "ingest", "take_in", "take_turn"]

#: Advisory locks of the service: alerting.exclusive has 7401 and 7402, partitions 7410.
TURN_SPACE: Final = 7_411
_DAY_MS: Final = 86_400_000


@dataclass
class IngestReport:
    """What became of a batch; `reasons` counts samples by what was wrong or noticed (metrics/quality/reasons.py)."""

    received: int = 0
    stored: int = 0
    new_series: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def take_turn(tenant_id: UUID) -> datetime:
    """Be the one writer of this tenant's samples and rollups for the rest of the transaction; the database's time."""
    rows.fetch("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [TURN_SPACE, str(tenant_id)])
    now: datetime = rows.fetch("SELECT statement_timestamp()", [])[0][0]
    return now


def ingest(tenant_id: UUID, batch: Sequence[SeriesPoints]) -> IngestReport:
    """Take points in, as one transaction."""
    with tenant_context(tenant_id):
        return take_in(tenant_id, [pack(batch)], take_turn(tenant_id))


def take_in(tenant_id: UUID, parcels: Sequence[Parcel], now: datetime) -> IngestReport:
    """Take parcels in, in the order they came; the caller holds the tenant's turn."""
    report = IngestReport(received=sum(parcel.samples for parcel in parcels))
    if not report.received:
        return report
    batch = _gather(tenant_id, parcels, report)
    known = states.read(tenant_id, np.unique(batch.number))
    if _are_gone(batch, known):
        directory.forget()
        batch = _gather(tenant_id, parcels, report)
        known = states.read(tenant_id, np.unique(batch.number))
    judgement = judged.judge(tenant_id, batch, known, _limits(now))
    _store(tenant_id, judgement, known)
    report.stored = len(judgement.kept.ms)
    report.reasons.update(judgement.counts)
    return report


def _limits(now: datetime) -> Limits:
    milliseconds = rows.milliseconds_of(now)
    # Whatever comes late must find all samples of its hour still there to be rolled up with.
    return Limits(milliseconds, milliseconds - max(1, settings.METRICS_KEEP_SAMPLES_DAYS - 1) * _DAY_MS)


def _gather(tenant_id: UUID, parcels: Sequence[Parcel], report: IngestReport) -> Batch:
    """The samples of all parcels, flat, in the order they came; series beyond the tenant's limit are left out."""
    hashes = [parcel.hashes[at : at + 16] for parcel in parcels for at in range(0, len(parcel.hashes), 16)]
    units = [unit for parcel in parcels for unit in parcel.units]
    about = [one for parcel in parcels for one in parcel.about]
    numbers, new = directory.numbers(tenant_id, hashes, units, about)
    report.new_series += new
    lengths = np.frombuffer(b"".join([parcel.lengths for parcel in parcels]), dtype=np.int32)
    item: Integers = np.repeat(np.arange(len(numbers)), lengths)
    batch = Batch(
        units=units,
        item=item,
        number=np.array(numbers, dtype=np.int64)[item],
        ms=np.frombuffer(b"".join([parcel.ms for parcel in parcels]), dtype=np.int64),
        values=np.frombuffer(b"".join([parcel.values for parcel in parcels]), dtype=np.float64),
    )
    is_refused = batch.number == directory.REFUSED
    if is_refused.any():
        report.reasons["too_many_series"] = int(is_refused.sum())
        return batch.only(~is_refused)
    return batch


def _are_gone(batch: Batch, known: states.States) -> bool:
    """Say whether a number this process remembered belongs to a series that was deleted since."""
    return len(known.numbers) < len(np.unique(batch.number))


def _store(tenant_id: UUID, judgement: judged.Judgement, known: states.States) -> None:
    kept, number = judgement.kept, known.numbers
    chunks.append(tenant_id, number[kept.series], kept.ms, kept.values)
    flawed = judgement.flawed
    flaws.keep(tenant_id, number[flawed.series], flawed.ms, flawed.values, judgement.flaw_reasons)
    states.write(tenant_id, known, judgement.progress)
    last = np.fmax(known.last_ms, np.where(judgement.progress.last_ms > 0, judgement.progress.last_ms, np.nan))
    series, hours = queueing.hours_to_roll(kept.series, kept.ms, known.last_ms, last)
    queueing.roll(tenant_id, number[series], hours)
    touched, first = np.unique(kept.series, return_index=True)
    queueing.judge(tenant_id, number[touched], kept.ms[first].astype(np.float64))
