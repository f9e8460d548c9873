"""Runs a batch through the quality stage: what is kept, what is put aside, and what the series remember of it."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from metrics.points import Floats, Integers
from metrics.quality import duplicates, units, watching
from metrics.quality.reasons import COST, DROPPED, QUARANTINED, Reason
from metrics.quality.screening import AHEAD_MS, Limits, screen
from metrics.quality.watching import Stream
from metrics.storage import chunks
from metrics.storage.states import Progress, States

Flags = NDArray[np.bool_]
Reasons = NDArray[np.int8]


@dataclass(frozen=True)
class Batch:
    """Samples in the order they came: `item` is their place among the series sent, `number` the series' key."""

    units: list[str]
    item: Integers
    number: Integers
    ms: Integers
    values: Floats

    def only(self, chosen: Flags) -> "Batch":
        """Some of the samples."""
        return replace(
            self,
            item=self.item[chosen],
            number=self.number[chosen],
            ms=self.ms[chosen],
            values=self.values[chosen],
        )


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of series, given by their position among the states."""

    series: Integers
    ms: Integers
    values: Floats

    def only(self, chosen: Flags | Integers) -> "Samples":
        """Some of them, or all in another order."""
        return Samples(self.series[chosen], self.ms[chosen], self.values[chosen])


@dataclass(frozen=True, slots=True)
class Judgement:
    """Kept samples sorted by series and time; flawed ones as they came, with their reasons; how many of each."""

    kept: Samples
    flawed: Samples
    flaw_reasons: Reasons
    progress: Progress
    counts: Counter[str]


def judge(tenant_id: UUID, batch: Batch, known: States, limits: Limits) -> Judgement:
    """Judge a batch; reads what is stored where samples are not newer than their series' last, changes the memory."""
    came, mended, reasons = _screened(batch, known, limits)
    is_usable = ~np.isin(reasons, [*QUARANTINED, *DROPPED])
    # Order of arrival breaks ties, so of two samples at one time the first counts.
    order = np.flatnonzero(is_usable)
    order = order[np.lexsort((order, mended.ms[order], mended.series[order]))]
    is_late = _find_repeats(tenant_id, mended, order, known, reasons)
    is_kept = ~np.isin(reasons[order], [*QUARANTINED, *DROPPED])
    kept, late = mended.only(order[is_kept]), is_late[is_kept]
    noticed = _notice(came, kept, late, known, limits, reasons)
    counts = Counter(
        {Reason(code).name.lower(): int(count) for code, count in enumerate(np.bincount(reasons)) if count and code}
    )
    counts.update(noticed)
    return Judgement(kept, came, reasons, _progress(kept, len(known.numbers), known), counts)


def _screened(batch: Batch, known: States, limits: Limits) -> tuple[Samples, Samples, Reasons]:
    """The samples as they came and after repair."""
    series = np.searchsorted(known.numbers, batch.number)
    factor_of_item = np.array([np.nan] * len(batch.units))
    items, first = np.unique(batch.item, return_index=True)
    factor_of_item[items] = [
        _factor(batch.units[item], known.units[series[at]])
        for item, at in zip(items.tolist(), first.tolist(), strict=True)
    ]
    bounds = np.array([_bounds(unit, kind) for unit, kind in zip(known.units, known.kinds, strict=True)])
    bounds = bounds.reshape(-1, 2)[series]
    came = Samples(series, batch.ms, batch.values)
    found = screen(batch.ms, batch.values, factor_of_item[batch.item], bounds[:, 0], bounds[:, 1], limits)
    return came, Samples(series, found.ms, found.values), found.reasons


@cache
def _bounds(unit: str, kind: str) -> tuple[float, float]:
    return units.bounds(unit, kind)


def _factor(sent: str, kept: str) -> float:
    if sent == kept:
        return 1.0
    found = units.factor(sent, kept)
    return float("nan") if found is None else found


def _find_repeats(tenant_id: UUID, samples: Samples, order: Integers, known: States, reasons: Reasons) -> Flags:
    """Enter the reasons of samples that were there before; say which of the ordered samples are late."""
    ordered = samples.only(order)
    found = duplicates.in_batch(ordered.series, ordered.ms, ordered.values)
    with np.errstate(invalid="ignore"):
        is_late = ordered.ms <= known.last_ms[ordered.series]
    doubtful = np.flatnonzero(is_late & (found == 0))
    if len(doubtful):
        late = ordered.only(doubtful)
        found[doubtful] = duplicates.against_stored(
            late.series, late.ms, late.values, _stored_beside(tenant_id, late, known)
        )
    is_found = found != 0
    reasons[order[is_found]] = found[is_found]
    return is_late


def _stored_beside(tenant_id: UUID, late: Samples, known: States) -> tuple[Integers, Integers, Floats]:
    """What is stored in the slices that late samples belong to."""
    pairs = np.unique(np.column_stack([late.series, chunks.slice_of(late.ms)]), axis=0)
    numbers, ms, values = chunks.read_slices(tenant_id, known.numbers[pairs[:, 0]], pairs[:, 1])
    return np.searchsorted(known.numbers, numbers), ms, values


def _notice(
    came: Samples, kept: Samples, late: Flags, known: States, limits: Limits, reasons: Reasons
) -> dict[str, int]:
    """Watch the streams, and let everything weigh on the quality of its series; return counts of what was noticed."""
    size = len(known.numbers)
    costs = np.zeros(max(Reason) + 1)
    for reason, cost in COST.items():
        costs[reason] = cost
    lost: Floats = np.bincount(came.series, costs[reasons], size).astype(np.float64)
    samples: Floats = np.bincount(came.series, minlength=size).astype(np.float64)
    ahead = kept.ms > limits.now + AHEAD_MS
    lost += np.bincount(kept.series, late * COST[Reason.OUT_OF_ORDER] + ahead * COST[Reason.CLOCK_AHEAD], size)
    counts = {"out_of_order": int(late.sum()), "clock_ahead": int(ahead.sum())}
    fresh = kept.only(~late)
    if len(fresh.ms):
        begins = np.flatnonzero(np.r_[True, fresh.series[1:] != fresh.series[:-1]])
        stream = Stream(fresh.series, begins, fresh.ms, fresh.values, known.last_ms, known.last_value, known.is_counter)
        seen = watching.watch(stream, known.memory)
        for reason, found in (
            (Reason.GAP, seen.missing),
            (Reason.COUNTER_RESET, seen.resets),
            (Reason.STUCK, seen.stuck),
            (Reason.SCALE_CHANGE, seen.scale_changes),
        ):
            lost[seen.present] += found * COST[reason]
            counts[reason.name.lower()] = int(found.sum())
        # What is missing counts as samples, and a change of scale as many as it costs: both weigh beyond their batch.
        samples[seen.present] += seen.missing + seen.scale_changes * COST[Reason.SCALE_CHANGE]
    touched = np.flatnonzero(samples)
    watching.score(known.memory, touched, lost[touched], samples[touched])
    return {name: count for name, count in counts.items() if count}


def _progress(kept: Samples, size: int, known: States) -> Progress:
    first, last, value = np.full(size, np.nan), np.zeros(size), np.zeros(size)
    if len(kept.ms):
        begins = np.flatnonzero(np.r_[True, kept.series[1:] != kept.series[:-1]])
        ends = np.r_[begins[1:], len(kept.ms)] - 1
        present = kept.series[begins]
        first[present] = kept.ms[begins]
        with np.errstate(invalid="ignore"):
            is_newer = ~(kept.ms[ends] <= known.last_ms[present])
        last[present[is_newer]] = kept.ms[ends][is_newer]
        value[present[is_newer]] = kept.values[ends][is_newer]
    return Progress(first, last, value)
