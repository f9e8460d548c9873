"""Makes series of the values a source brought: clean names, the tenant's labels, one entry for each series."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from metrics.collectors.base import LABEL_NAME, MAX_LABEL_VALUE, MAX_LABELS, METRIC_NAME, Point
from metrics.points import SeriesPoints

MAX_SERIES = 20_000
MAX_UNIT = 32


@dataclass
class _Heap:
    """The values of one series."""

    labels: dict[str, str]
    unit: str
    kind: str
    at: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Tidied:
    """Series with their values, and how many values could not be used."""

    series: list[SeriesPoints]
    dropped: int
    #: Series beyond what one source may have.
    surplus: int = 0

    @property
    def points(self) -> int:
        """How many values there are."""
        return sum(len(one.at) for one in self.series)

    def note(self) -> str:
        """Say what was dropped, empty when nothing was."""
        if self.surplus:
            limit = {"count": MAX_SERIES}
            return _("Only the first %(count)d series were taken; a source has at most so many.") % limit
        if not self.dropped:
            return ""
        text = ngettext(
            "%(count)d value could not be used: no number, or a name that is none.",
            "%(count)d values could not be used: no numbers, or names that are none.",
            self.dropped,
        )
        return text % {"count": self.dropped}


def tidy(points: Iterable[Point], labels: Mapping[str, str], now: float) -> Tidied:
    """Return series; `labels` win over those of the source, and values without a time are of now."""
    heaps: dict[tuple[str, frozenset[tuple[str, str]]], _Heap] = {}
    dropped = surplus = 0
    for point in points:
        merged = _labels(point.labels, labels)
        if merged is None or not math.isfinite(point.value) or not METRIC_NAME.fullmatch(point.metric):
            dropped += 1
            continue
        key = (point.metric, frozenset(merged.items()))
        if key not in heaps:
            if len(heaps) >= MAX_SERIES:
                surplus += 1
                continue
            heaps[key] = _Heap(merged, point.unit[:MAX_UNIT], point.kind)
        heaps[key].at.append(now if point.at is None else point.at)
        heaps[key].values.append(point.value)
    made = [
        SeriesPoints(metric, heap.labels, heap.unit, heap.kind, np.array(heap.at), np.array(heap.values))
        for (metric, _key), heap in heaps.items()
    ]
    return Tidied(made, dropped, surplus)


def _labels(found: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str] | None:
    """Return the labels of a series, None where a name is none or there are too many."""
    if not all(LABEL_NAME.fullmatch(name) for name in found):
        return None
    merged = {name: text.replace("\0", "")[:MAX_LABEL_VALUE] for name, text in found.items() if text} | dict(own)
    return merged if len(merged) <= MAX_LABELS else None
