"""Feeds the made-up series of a tenant up to now: the first time two weeks of them, then what is missing."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import numpy as np

from channels.selectors import database_now
from metrics.ingest import SeriesPoints, ingest
from metrics.models import Kind, Series
from metrics.simulator.noise import Floats
from metrics.simulator.scenario import SERIES, Simulated
from tenants.context import tenant_context

DAY: Final = 86_400
BACK_DAYS: Final = 15
#: So much of all series is made and stored at once.
PART_SECONDS: Final = DAY


def feed(tenant_id: UUID, *, budget: float = 25.0, back_days: int = BACK_DAYS) -> int:
    """Store what is missing up to now; return how many samples. Safe to run twice, and at the same time.

    A long past is stored part by part, the oldest first; after `budget` seconds the rest is left to the next call.
    """
    end = time.monotonic() + budget
    with tenant_context(tenant_id):
        now = database_now().timestamp()
        known = _last_times()
    missing = {one: _begin(one, known, now - back_days * DAY) for one in SERIES}
    stored, begin = 0, min(missing.values())
    while begin <= now and (not stored or time.monotonic() < end):
        until = min(begin + PART_SECONDS, now)
        batch = _batch(missing, begin, until)
        if batch:
            stored += ingest(tenant_id, batch).stored
        begin = until + 1e-3
    return stored


def grid(start: float, end: float, step: int) -> Floats:
    """Return the times at which a series is measured, from `start` to `end`, both included."""
    found: Floats = np.arange(np.ceil(start / step), np.floor(end / step) + 1) * step
    return found


def _batch(missing: Mapping[Simulated, float], begin: float, until: float) -> list[SeriesPoints]:
    batch = []
    for one, first in missing.items():
        at = grid(max(first, begin), until, one.step)
        if len(at):
            batch.append(SeriesPoints(one.metric, one.labels, one.unit, Kind.GAUGE, at, one.values(at)))
    return batch


def _begin(one: Simulated, known: Mapping[str, Mapping[frozenset[tuple[str, str]], float]], earliest: float) -> float:
    last = known[one.metric].get(frozenset(one.labels.items()))
    return earliest if last is None else max(last + 1e-3, earliest)


def _last_times() -> Mapping[str, Mapping[frozenset[tuple[str, str]], float]]:
    """Return when each series had its last sample, by metric and labels."""
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = defaultdict(dict)
    metrics = {one.metric for one in SERIES}
    rows = Series.objects.filter(metric__in=metrics, last_at__isnull=False)
    for metric, labels, last_at in rows.values_list("metric", "labels", "last_at"):
        found[metric][frozenset(labels.items())] = last_at.timestamp() if last_at else 0.0
    return found
