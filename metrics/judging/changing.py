"""Lasting changes of a series behind the face of learned models: points in, a track out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from metrics.changes import Change, ChangeConfig, ChangeDetector, ChangeWatch, Kind, Wanted, Watched, chance_of
from metrics.changes.chance import score_of
from metrics.changes.watch import NAME, VERSION, rates_of
from metrics.judging.states import moment
from metrics.judging.tracks import Track
from metrics.seasons import NO_SEASON, Calendar, Points, Season, cells_of, learn_season, points_of, spacing_of
from metrics.thresholds.batch import Floats
from metrics.thresholds.conditions import Changes

__all__ = ["KIND", "NAME", "VERSION", "LearnedChange", "open_change", "renew", "replayed", "warm"]

KIND: Final = "change"
#: How many points of a series that never changes are taken for changed, by sensitivity: one in so many.
_SENSITIVITIES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_POINTS: Final = (7.0, 6.0, 5.3, 4.6, 4.0)  # powers of ten
#: As many points show a true change, roughly: how sure one is follows from both.
TRUE_CHANGES: Final = 1 / 5_000
HOUR: Final = 3_600.0
#: A detector remembers a thousand points; of so many it learns how they cling to one another.
WARM_POINTS: Final = 4_096
MOST_SCORE: Final = 100.0


class LearnedChange:
    """Watches for changes that last; what it finds goes on until it is undone or has become usual."""

    kind = KIND

    def __init__(self, condition: Changes, watch: ChangeWatch, calendar: Calendar) -> None:
        self.condition, self.watch, self.calendar = condition, watch, calendar

    def follow(self, at: Floats, values: Floats) -> Track:
        config, season = self.watch.detector.config, self.watch.detector.config.season
        found = self.watch.follow(at, values)
        score = np.full(len(at), np.nan)
        for index, change in found.begun:
            score[index:] = _score(change, config)
        expected = np.full(len(at), np.nan)
        for index, change in found.begun:
            if change.kind is Kind.LEVEL:
                expected[index:] = change.before
        return Track(
            at,
            found.values,
            found.going_on,
            ~found.going_on,
            expected=expected,
            score=score,
            tell=lambda index: self._tell(found, index, season),
        )

    def _tell(self, found: Watched, index: int, season: Season) -> dict[str, Any]:
        if not found.going_on[index]:
            end = found.end(index)
            return {"ended": end.value} if end is not None else {}
        change = found.change(index)
        return tell_change(change, season, self.condition.per) if change is not None else {}

    def settle(self) -> None:
        """What lies in the past is known; only what comes from now on is told."""
        self.watch.forget()

    def dump(self) -> bytes:
        return self.watch.dump()


def tell_change(change: Change, season: Season, per: float) -> dict[str, Any]:
    """Before and after, since when, how sure and how rare by chance; what takes the place of the point's numbers."""
    probability = chance_of(change.kind, change.score)
    factor = per if change.kind is Kind.TREND else 1.0
    return {
        "change": change.kind.value,
        "before": change.before * factor,
        "after": change.after * factor,
        "level": change.level,
        "per": per if change.kind is Kind.TREND else None,
        "changed_at": moment(change.at).isoformat(),
        "season": season.kind.value,
        "probability": probability,
        "certainty": round(TRUE_CHANGES / (TRUE_CHANGES + probability), 4),
    }


def _score(change: Change, config: ChangeConfig) -> float:
    edge = config.variance_threshold if change.kind is Kind.VARIANCE else config.level_threshold
    return min(MOST_SCORE, change.score / edge)


def config_of(sensitivity: float, season: Season = NO_SEASON) -> ChangeConfig:
    """The edges at which a series that never changes is taken for changed as often as the sensitivity allows."""
    chance = 10.0 ** -float(np.interp(sensitivity, _SENSITIVITIES, _POINTS))
    return ChangeConfig(score_of(Kind.LEVEL, chance), score_of(Kind.VARIANCE, chance), season)


def wanted_of(condition: Changes) -> Wanted:
    """What the condition asks, as the numerics take it."""
    return Wanted(
        frozenset(Kind(name) for name in condition.watch),
        condition.side,
        condition.least_change,
        condition.least_percent,
        float(condition.per),
        float(condition.settled),
    )


def open_change(
    condition: Changes, sensitivity: float, dumped: bytes | None, calendar: Calendar, *, is_counter: bool = False
) -> LearnedChange:
    """A watch as it was dumped, or a new one. Raises BadModel for bytes that are none."""
    wanted, config = wanted_of(condition), config_of(sensitivity)
    if dumped:
        return LearnedChange(condition, ChangeWatch.load(dumped, wanted, config, calendar), calendar)
    return LearnedChange(condition, ChangeWatch(wanted, ChangeDetector(config), is_counter=is_counter), calendar)


def season_of(points: Points, calendar: Calendar) -> Season:
    """What a series repeats by the day and the week; nothing where too little is known."""
    if not points.at.size:
        return NO_SEASON
    return learn_season(cells_of(points, max(HOUR, spacing_of(points.at))), calendar)


def warm(model: LearnedChange, at: Floats, values: Floats) -> None:
    """Let a new watch learn the season from all of a past, and what is usual from its end."""
    model.watch.renew(season_of(seen_by(model.watch, at, values), model.calendar))
    model.follow(at[-WARM_POINTS:], values[-WARM_POINTS:])
    model.settle()


def renew(model: LearnedChange, at: Floats, values: Floats) -> None:
    """Let a watch take the season that its past shows by now; whatever stands goes on."""
    model.watch.renew(season_of(seen_by(model.watch, at, values), model.calendar))


def seen_by(watch: ChangeWatch, at: Floats, values: Floats) -> Points:
    """A past as the watch sees it: a counter by its change a second."""
    if not watch.is_counter:
        return points_of(at, values)
    return points_of(at, rates_of(at, values, None))


def replayed(model: LearnedChange, at: Floats, values: Floats, *, every: float) -> Track:
    """A whole past as it would have been followed, the season learned anew every so often from what came before."""
    tracks: list[Track] = []
    edges = np.arange(at[0] + every, at[-1], every)
    cuts = [0, *np.searchsorted(at, edges).tolist(), len(at)]
    for first, last in pairwise(cuts):
        if first:
            renew(model, at[:first], values[:first])
        if last > first:
            tracks.append(model.follow(at[first:last], values[first:last]))
    return _joined(tracks)


def _joined(tracks: list[Track]) -> Track:
    if len(tracks) == 1:
        return tracks[0]
    begins = np.cumsum([0, *(len(track.at) for track in tracks)])

    def tell(index: int) -> dict[str, Any]:
        which = int(np.searchsorted(begins, index, side="right")) - 1
        said = tracks[which].tell
        return said(index - int(begins[which])) if said is not None else {}

    whole: dict[str, Any] = {
        name: np.concatenate([getattr(track, name) for track in tracks])
        for name in ("at", "signal", "entered", "left", "expected", "score")
    }
    return replace(tracks[0], **whole, tell=tell)
