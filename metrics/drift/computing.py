"""Computes drift series out of collected histograms (`<name>_bucket` with `le`), once an hour for each tenant."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
import structlog
from django.utils.translation import gettext as _

from channels.selectors import database_now
from metrics.catalogue import entries
from metrics.drift.numerics import Drift, Floats, Histogram, compare
from metrics.ingest import ingest
from metrics.models import Kind, MetricChoice, Series
from metrics.points import SeriesPoints
from metrics.storage.reading import Arrays, rollup
from tenants.context import tenant_context
from tenants.models import Tenant

log = structlog.get_logger(__name__)
HOUR: Final = 3_600
BUCKET, EDGE = "_bucket", "le"


class DriftSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which histogram to watch, how long the reference is, and how much of the present is compared with it.

    The reference ends where the present begins, or for good at `reference_until` (unix seconds), as at a training.
    """

    histogram: str = "feature_value"
    reference_days: int = 7
    window_hours: int = 24
    reference_until: float = 0.0


@dataclass(frozen=True)
class _Bucket:
    """One cumulative counter of a histogram."""

    number: int
    edge: float


def settings_fault(key: str, raw: Any) -> str:
    """What is wrong with the settings of a chosen metric; empty when nothing is."""
    one = entries().get(key)
    if one is None or not one.computed:
        return "" if raw in ({}, None) else _("This metric has no settings.")
    try:
        found = msgspec.convert(raw, type=DriftSettings)
    except msgspec.ValidationError as error:
        return str(error)
    if not (1 <= found.reference_days <= 60 and 1 <= found.window_hours <= 14 * 24 and found.histogram):
        return _("Give a histogram, from 1 to 60 days and from 1 to 336 hours.")
    return ""


def compute_all() -> int:
    """Compute the drift of every tenant that watches some; return how many series got a value."""
    keys = [key for key, one in entries().items() if one.computed]
    total = 0
    for tenant_id in Tenant.objects.filter(is_active=True).values_list("pk", flat=True):
        try:
            with tenant_context(tenant_id):
                choices = list(MetricChoice.objects.filter(key__in=keys))
                total += compute_tenant(tenant_id, choices) if choices else 0
        except Exception:  # one tenant's histograms must not cost the others their values
            log.exception("drift not computed", tenant_id=str(tenant_id))
    return total


def compute_tenant(tenant_id: UUID, choices: Sequence[MetricChoice]) -> int:
    """Compute and store what these choices ask for; return how many series got a value. Inside the context."""
    now = database_now().timestamp() // HOUR * HOUR
    batch: list[SeriesPoints] = []
    for choice in choices:
        wanted = msgspec.convert(choice.settings, type=DriftSettings)
        measure = entries()[choice.key].computed
        for labels, drift in drifts(tenant_id, wanted, now):
            value = drift.psi if measure == "psi" else drift.ks
            batch.append(
                SeriesPoints(choice.metric, labels, entries()[choice.key].unit, Kind.GAUGE, _one(now), _one(value))
            )
    if batch:
        ingest(tenant_id, batch)
    return len(batch)


def drifts(tenant_id: UUID, wanted: DriftSettings, now: float) -> list[tuple[dict[str, str], Drift]]:
    """Return how far each histogram of this name is from its reference, by its labels."""
    begin = now - wanted.window_hours * HOUR
    until = min(wanted.reference_until or begin, begin)
    families = _families(wanted.histogram)
    numbers = [bucket.number for family in families.values() for bucket in family]
    past = rollup(tenant_id, numbers, "1h", until - wanted.reference_days * 24 * HOUR, until)
    present = rollup(tenant_id, numbers, "1h", begin, now)
    found = []
    for labels, family in families.items():
        reference, current = histogram(family, past), histogram(family, present)
        drift = compare(reference, current) if reference and current else None
        if drift is not None:
            found.append((dict(labels), drift))
    return found


def _families(name: str) -> dict[tuple[tuple[str, str], ...], list[_Bucket]]:
    """Return the buckets of every histogram of a name, by the labels they share."""
    families: dict[tuple[tuple[str, str], ...], list[_Bucket]] = defaultdict(list)
    for number, labels in Series.objects.filter(metric=name + BUCKET).values_list("number", "labels"):
        edge = _edge(labels.get(EDGE, ""))
        if edge is not None:
            shared = tuple(sorted((key, text) for key, text in labels.items() if key != EDGE))
            families[shared].append(_Bucket(number, edge))
    return {labels: sorted(family, key=lambda one: one.edge) for labels, family in families.items()}


def histogram(family: Sequence[_Bucket], read: Mapping[int, Arrays]) -> Histogram | None:
    """Return what was observed in a time: the growth of each cumulative counter, less that of the one below."""
    if len(family) < 2 or len({one.edge for one in family}) < len(family):
        return None
    grown = np.array(
        [growth(read[one.number].min, read[one.number].max) if one.number in read else 0.0 for one in family]
    )
    # Scrapes catch the counters of one histogram at slightly different moments; a fall between bins is none.
    counts = np.maximum(np.diff(np.concatenate([[0.0], np.maximum.accumulate(grown)])), 0.0)
    edges = np.array([-math.inf, *(one.edge for one in family)])
    return Histogram(edges, counts)


def growth(low: Floats, high: Floats) -> float:
    """Return by how much a counter grew over hours, given its least and greatest value in each.

    A restart shows as a least value below the greatest before; what was counted since then begins at nothing.
    """
    if not len(high):
        return 0.0
    total = high[0] - low[0]
    for index in range(1, len(high)):
        is_restart = low[index] < high[index - 1]
        total += high[index] if is_restart else high[index] - high[index - 1]
    return float(total)


def _edge(text: str) -> float | None:
    try:
        edge = float(text)
    except ValueError:
        return None
    return None if math.isnan(edge) or edge == -math.inf else edge


def _one(value: float) -> Floats:
    return np.array([value], dtype=np.float64)
