"""Searching a whole series for changes: narrowest over threshold on seeded intervals.

Kovacs, Buehlmann, Li & Munk 2020 for the intervals (so few that the search is nearly linear, placed so that each change
has one to itself), Baranowski, Chen & Fryzlewicz 2019 for taking the narrowest interval that shows a change first.
"""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from metrics.changes.contrasts import Contrast, Sums, sums_of
from metrics.seasons.points import Floats, Ints

DECAY = 1 / np.sqrt(2)
MOST_CHANGES = 100
BATCH = 1 << 20

Found = tuple[int, float]


def layers(count: int, least: int) -> Iterator[tuple[Ints, int]]:
    """Starts of intervals and their length, from the shortest of at least `least` points to the whole series."""
    found = []
    depth = 0
    while (length := int(np.ceil(count * DECAY**depth))) >= least:
        number = 2 * int(np.ceil((1 / DECAY) ** depth)) - 1
        starts = np.unique(np.round(np.linspace(0, count - length, number)).astype(np.int64))
        found.append((starts, length))
        depth += 1
    return reversed(found)


def search(values: Floats, contrast: Contrast, threshold: float, *, least: int, scales: Floats) -> list[Found]:
    """Where a new segment begins, and how far it stands out; the places in rising order.

    `threshold` is in standard errors; `scales` float64[n] is the long-run scale at each point, of which the largest in
    an interval counts. A change has at least `least` points on either side.
    """
    field = Field(sums_of(values - values.mean()), contrast, threshold, least, runs_of(scales))
    taken: list[int] = []
    for starts, length in layers(values.size, 2 * least):
        free = np.array([not any(start < place < start + length for place in taken) for start in starts])
        for start, place, height in field.tops(starts[free], length):
            if height > threshold and not any(start < other < start + length for other in taken):
                taken.append(place)
        if len(taken) >= MOST_CHANGES:
            break
    return field.refined(sorted(taken), values.size)


def runs_of(scales: Floats) -> list[tuple[int, int, float]]:
    """Begin, end and value of each stretch of one scale."""
    edges = [0, *(np.flatnonzero(np.diff(scales)) + 1).tolist(), scales.size]
    return [(begin, end, float(scales[begin])) for begin, end in itertools.pairwise(edges)]


class Field(NamedTuple):
    """A series made ready for one contrast."""

    sums: Sums
    contrast: Contrast
    threshold: float
    least: int
    runs: list[tuple[int, int, float]]

    def tops(self, starts: Ints, length: int) -> list[tuple[int, int, float]]:
        """Start, best place and height of each interval, the highest first."""
        found: list[tuple[int, int, float]] = []
        for batch in np.array_split(starts, max(1, starts.size * length // BATCH)):
            if not batch.size:
                continue
            heights = self.contrast(self.sums, batch, length)[:, self.least - 1 : length - self.least]
            best = np.argmax(heights, axis=1)
            top = heights[np.arange(batch.size), best] / self.scale(batch, length)
            places = batch + best + self.least
            found += list(zip(batch.tolist(), places.tolist(), top.tolist(), strict=True))
        return sorted(found, key=lambda entry: -entry[2])

    def scale(self, starts: Ints, length: int) -> Floats:
        """The largest scale in each interval."""
        largest = np.zeros(starts.size)
        for begin, end, scale in self.runs:
            touched = (starts < end) & (starts + length > begin)
            largest[touched] = np.maximum(largest[touched], scale)
        return largest

    def refined(self, places: list[int], count: int) -> list[Found]:
        """Each change moved to where it stands out most between its neighbours; those that no longer do are dropped."""
        kept: list[Found] = []
        for number, place in enumerate(places):
            begin = kept[-1][0] if kept else 0
            end = places[number + 1] if number + 1 < len(places) else count
            if end - begin < 2 * self.least or not begin < place < end:
                continue
            _, best, height = self.tops(np.array([begin]), end - begin)[0]
            if height > self.threshold:
                kept.append((best, height))
        return kept
