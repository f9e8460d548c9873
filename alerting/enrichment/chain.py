"""A tenant's enrichment steps in order: which apply to an alert, what each changed, and how long each took."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from time import perf_counter
from typing import Any
from uuid import UUID

import msgspec

from alerting.enrichment.base import Changes, Step, StepError, changed, within_limits
from alerting.enrichment.registry import compile_step
from alerting.matchers import Matcher, MatcherIndex


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the enrichment table."""

    id: UUID
    name: str
    kind: str
    matchers: tuple[Matcher, ...] = ()
    settings: Mapping[str, Any] = {}


class Applied(msgspec.Struct, frozen=True):
    """What one step did to one alert."""

    step_id: UUID
    name: str
    changes: Changes


class Enriched(msgspec.Struct, frozen=True):
    """An alert after all steps; the mappings are those given when nothing changed."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    applied: tuple[Applied, ...] = ()


class _Link:
    """One step in its place."""

    __slots__ = ("matchers", "place", "row", "seconds", "step", "times")

    def __init__(self, place: int, row: StepRow, step: Step) -> None:
        self.place = place
        self.row = row
        self.matchers = row.matchers
        self.step = step
        self.seconds = 0.0
        self.times = 0


class Chain:
    """The steps, compiled once. A step sees what the steps before it wrote.

    A row that no longer compiles (its kind was taken out of the settings) is left out and listed in
    `broken`: alerts must not wait for somebody to mend it.
    """

    __slots__ = ("_clock", "_index", "_links", "_looked_at", "broken")

    def __init__(self, rows: Iterable[StepRow], time_zone: str, clock: Callable[[], float] = perf_counter) -> None:
        self.broken: list[tuple[StepRow, StepError]] = []
        self._links: list[_Link] = []
        for place, row in enumerate(rows):
            try:
                self._links.append(_Link(place, row, compile_step(row.kind, row.settings, time_zone)))
            except StepError as refused:
                self.broken.append((row, refused))
        self._index = MatcherIndex(self._links)
        self._looked_at = frozenset(matcher.name for link in self._links for matcher in link.matchers)
        self._clock = clock

    def apply(self, labels: Mapping[str, str], annotations: Mapping[str, str], now: datetime) -> Enriched:
        """Run the steps that match; the arguments stay as they are."""
        links = self._index.matches(labels)
        if not links:
            return Enriched(labels, annotations)
        applied: list[Applied] = []
        while links:
            link = links.pop(0)
            began = self._clock()
            changes = link.step.apply(labels, annotations, now)
            if changes:
                changes = within_limits(labels, annotations, changes)
                applied.append(Applied(link.row.id, link.row.name, changes))
                if changes.annotations:
                    annotations = changed(annotations, changes.annotations)
                if changes.labels:
                    labels = changed(labels, changes.labels)
                    if not self._looked_at.isdisjoint(changes.labels):
                        links = [later for later in self._index.matches(labels) if later.place > link.place]
            link.seconds += self._clock() - began
            link.times += 1
        return Enriched(labels, annotations, tuple(applied))

    @property
    def rows(self) -> tuple[StepRow, ...]:
        """The steps that work, in their order."""
        return tuple(link.row for link in self._links)

    def take_timings(self) -> dict[UUID, tuple[int, float]]:
        """How often each step ran and for how many seconds since last asked."""
        timings = {link.row.id: (link.times, link.seconds) for link in self._links if link.times}
        for link in self._links:
            link.times, link.seconds = 0, 0.0
        return timings
