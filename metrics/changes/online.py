"""Finding a change as it comes: the mean of the last points against that of all since the change before.

Windows of doubling length stand for all lengths (Page 1954 and Lorden 1971 for the likelihood ratio; Lai 1995 for
windows). The unknown level before and the clinging of neighbours are both taken into account, so that one threshold
means one rate of false alarms for every series.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from alerting.scoring.numerics.packing import BadModel, pack, unpack
from metrics.changes.change import Change, Kind
from metrics.changes.windows import (
    LEAST_BEFORE,
    LEVEL_LEAST,
    WINDOWS,
    best_bend,
    clinging,
    left_by_step,
    level_gain,
    onset,
    strongest,
)
from metrics.seasons import NO_SEASON, Calendar, Floats, Season, points_of
from metrics.seasons import Kind as SeasonKind

NAME = "changes"
VERSION = 2
VARIANCE_LEAST = 16
BEND_LEAST = 8
BUFFER = 1024
REFIT_LEAST, REFIT_SHARE = 8, 16
CLING_MEMORY = 256.0  # points for which what was known of clinging counts after a change
KEPT = 256  # points of what was usual before a change, for when it comes back
NOTHING: Floats = np.empty((2, 0))
CLIP = 3.5
WIDE_CLIP = 8.0  # where the form of a change decides, not whether there is one
DEVIATION_CLIP = 6.0
ROOT_MEAN, ROOT_SCALE = 0.822, 0.349  # of the root of the distance of a standard normal
BEND_GAIN = 1.0  # squared standard errors that a bend must explain beyond a step
SURE_GAIN = 5.0  # by so many more squared standard errors one of the two is told without waiting
MOST_WAIT = 32  # points for which the verdict may wait, and no more than the change has lasted when first seen
SEASON_DOUBT = 0.15  # spreads by which a learned season is off for hours: no window is surer than this


@dataclass(frozen=True, slots=True)
class ChangeConfig:
    """`level_threshold` and `variance_threshold` in standard errors: higher is later and quieter.

    The defaults raise less than one false alarm in 10,000 points of noise (benchmarks/results/intelligence.json).
    """

    level_threshold: float = 4.6
    variance_threshold: float = 5.2
    season: Season = field(default_factory=lambda: NO_SEASON)


@dataclass(slots=True)
class Usual:
    """What the points since the last change are like; refitted every few points."""

    middle: float = 0.0
    spread: float = 0.0
    long_run: float = 0.0
    root_long_run: float = 0.0


def doubt_of(season: Season) -> tuple[float, float]:
    """By how much a season may be off for hours: in spreads, and in the unit of the series.

    Its parts of a day are joined by straight lines, which cut the bends of a curve off (by an eighth of what the
    steepness changes from part to part).
    """
    if season.kind is SeasonKind.NONE:
        return 0.0, 0.0
    profile = season.profile.ravel()
    bends = np.abs(np.roll(profile, 1) - 2 * profile + np.roll(profile, -1))
    return SEASON_DOUBT, float(bends.max()) / 8


class ChangeDetector:
    """One series' detector. After a change it starts anew from the points since; a trend found is taken off them."""

    def __init__(self, config: ChangeConfig | None = None) -> None:
        self.config = config or ChangeConfig()
        self._at: Floats = np.empty(0)
        self._values: Floats = np.empty(0)
        self._usual = Usual()
        self._cling = np.ones(2)  # of levels and of roots, kept over changes
        self._seen = 0
        self._doubt, self._rough = doubt_of(self.config.season)
        self._slope = 0.0  # unit per second, taken off since _since
        self._since = 0.0
        self._old = NOTHING  # times and values of the end of what was usual before the last change
        self._waited = 0  # points since something was seen whose kind is not sure yet

    def update(self, at: float, value: float) -> Change | None:
        """Take one point (unix seconds, unit of the series) and tell of the change it makes certain, if any.

        Values that are not finite and points that are not later than the last are passed over.
        """
        if not np.isfinite(value):
            return None
        season = float(self.config.season.at(np.array([at]))[0])
        return self.take(at, value - season)

    def scan(self, at: npt.ArrayLike, values: npt.ArrayLike) -> Iterator[Change]:
        """The changes in many points, found as `update` would have found them."""
        points = points_of(at, values)
        rest = points.values - self.config.season.at(points.at)
        for moment, value in zip(points.at.tolist(), rest.tolist(), strict=True):
            change = self.take(moment, value)
            if change is not None:
                yield change

    def take(self, at: float, value: float) -> Change | None:
        """Take one point whose season is off already; one that is not later than the last is passed over."""
        if self._at.size and at <= self._at[-1]:
            return None
        self._at = np.append(self._at, at)[-BUFFER:]
        self._values = np.append(self._values, value - self._slope * (at - self._since))[-BUFFER:]
        self._seen += 1
        count = self._values.size
        if count < LEAST_BEFORE + LEVEL_LEAST:
            return None
        if self._usual.spread <= 0 or self._seen % max(REFIT_LEAST, count // REFIT_SHARE) == 0:
            self._refit()
        if self._usual.spread <= 0:
            return self._first_of_constant()
        return self._judge()

    def _refit(self) -> None:
        """Learn what is usual from all but the newest points, which may be part of a change."""
        self._leave_line()
        past = self._values[: max(LEAST_BEFORE, self._values.size - int(WINDOWS[1]))]
        middle = float(np.median(past))
        spread = 1.4826 * float(np.median(np.abs(past - middle))) or float(np.std(past))
        self._usual = Usual(middle, spread)
        if spread > 0:
            level, roots = self._standard(past)
            mine = min(1.0, past.size / CLING_MEMORY)
            known = np.array([clinging(level), clinging(roots)])
            cling = np.maximum(known, mine * known + (1 - mine) * self._cling)
            self._usual.long_run = float(np.std(level) * cling[0])
            self._usual.root_long_run = float(np.std(roots) * cling[1])
            if past.size >= CLING_MEMORY:
                self._cling = known

    def _leave_line(self) -> None:
        """Take a trend for over once its line explains less than none; what goes on without it is no new change."""
        if not self._slope:
            return
        raw = self._values + self._slope * (self._at - self._since)
        if float(np.var(raw)) < float(np.var(self._values)):
            self._values, self._slope, self._old = raw, 0.0, NOTHING

    def _standard(self, values: Floats) -> tuple[Floats, Floats]:
        """Values in spreads from the middle, cut off where single points would decide; and the roots of distances."""
        away = (values - self._usual.middle) / self._usual.spread
        roots = (np.sqrt(np.minimum(np.abs(away), DEVIATION_CLIP**2)) - ROOT_MEAN) / ROOT_SCALE
        return np.clip(away, -CLIP, CLIP), np.clip(roots, -CLIP, DEVIATION_CLIP)

    def _judge(self) -> Change | None:
        level, roots = self._standard(self._values)
        doubt = self._doubt + self._rough / self._usual.spread
        window, score = strongest(level, LEVEL_LEAST, self._usual.long_run, doubt)
        is_level = score > self.config.level_threshold
        if is_level and not self._looks_like(Kind.VARIANCE, onset(level, window)):
            return self._level_or_trend(level, window, score)
        window, score = strongest(roots, VARIANCE_LEAST, self._usual.root_long_run, doubt)
        if score <= self.config.variance_threshold:
            self._waited = self._waited + 1 if is_level else 0
            return None
        place = onset(roots, window)
        if self._looks_like(Kind.LEVEL, place):
            self._waited += 1
            return None
        before, after = float(np.std(self._values[:place])), float(np.std(self._values[place:]))
        return self._found(Kind.VARIANCE, place, before, after, score)

    def _looks_like(self, other: Kind, place: int) -> bool:
        """Whether the points from a place on are of another kind than the test says that sees them first.

        A few points on one side may be a new level or great unrest. Only for a while: then the test is believed.
        """
        if self._waited >= MOST_WAIT:
            return False
        return (level_gain(self._wide()[place:]) > 0) is (other is Kind.LEVEL)

    def _wide(self) -> Floats:
        return np.clip((self._values - self._usual.middle) / self._usual.spread, -WIDE_CLIP, WIDE_CLIP)

    def _first_of_constant(self) -> Change | None:
        """A series without any spread changes with its first lasting other value."""
        newest = self._values[-LEVEL_LEAST:]
        if (newest == self._usual.middle).any():
            return None
        place = self._values.size - LEVEL_LEAST
        return self._found(Kind.LEVEL, place, self._usual.middle, float(np.median(newest)), np.inf)

    def _level_or_trend(self, level: Floats, window: int, score: float) -> Change | None:
        """Tell a step from a bend by which leaves less, and where it began; wait while the two leave about the same.

        The first points of a ramp look like those of a step. More of them part the two (the ratio of their likelihoods
        grows with every point), so the verdict waits: at most as long as the change has lasted when it was first seen.
        """
        place = onset(level, window)
        wide = self._wide()
        cut, bend_left = best_bend(wide, place, window)
        gain = (left_by_step(wide, place) - bend_left) / self._usual.long_run**2
        if level.size - cut < BEND_LEAST:
            gain = min(gain, BEND_GAIN)
        lasted = level.size - min(place, cut)
        if abs(gain - BEND_GAIN) < SURE_GAIN and self._waited < min(MOST_WAIT, lasted - self._waited):
            self._waited += 1
            return None
        if gain > BEND_GAIN:
            since = self._at[cut:] - self._at[cut]
            added = float((since * (self._values[cut:] - np.median(self._values[:cut]))).sum() / (since**2).sum())
            return self._found(Kind.TREND, cut, self._slope, self._slope + added, score)
        before, after = float(np.median(self._values[:place])), float(np.median(self._values[place:]))
        return self._found(Kind.LEVEL, place, before, after, score)

    def _found(self, kind: Kind, place: int, before: float, after: float, score: float) -> Change:
        """Go on from the points since the change."""
        # Where a trend is taken off, levels are told from its line: people know them with it.
        line = self._slope * (float(self._at[place]) - self._since)
        level = float(np.median(self._values[:place])) + line
        if kind is Kind.LEVEL:
            before, after = before + line, after + line
        spread = self._usual.spread * self._usual.long_run
        change = Change(kind, float(self._at[place]), float(self._at[-1]), before, after, score, level, spread)
        self._old = np.stack([self._at[:place], self._values[:place]])[:, -KEPT:]
        self._at, self._values = self._at[place:], self._values[place:]
        if kind is Kind.TREND:
            start = float(self._at[0])
            raw = self._values + self._slope * (self._at - self._since)
            self._values = raw - after * (self._at - start)
            self._slope, self._since = after, start
            self._old = NOTHING
        self._usual = Usual()
        self._waited = 0
        return change

    @property
    def slope(self) -> float:
        """The trend that is taken off, in units per second."""
        return self._slope

    def go_back(self, since: float) -> None:
        """Take what was usual before the last change for usual again, with the points from `since` on."""
        back = self._at >= since
        self._at = np.concatenate([self._old[0], self._at[back]])
        self._values = np.concatenate([self._old[1], self._values[back]])
        self._old, self._usual, self._waited = NOTHING, Usual(), 0

    def reseason(self, season: Season) -> None:
        """Go on with another season: what is remembered is told anew without it, so that nothing seems to change."""
        self._values = self._values + self._between(season, self._at)
        self._old = np.stack([self._old[0], self._old[1] + self._between(season, self._old[0])])
        self.config = replace(self.config, season=season)
        self._doubt, self._rough = doubt_of(season)
        self._usual, self._waited = Usual(), 0

    def _between(self, season: Season, at: Floats) -> Floats:
        return self.config.season.at(at) - season.at(at)

    def dump(self) -> bytes:
        """All that is needed to go on, at most 21 KB."""
        usual = self._usual
        numbers: dict[str, Any] = {
            "seen": self._seen,
            "waited": self._waited,
            "slope": self._slope,
            "since": self._since,
            "cling": self._cling.tolist(),
            "usual": [usual.middle, usual.spread, usual.long_run, usual.root_long_run],
            "kind": self.config.season.kind.value,
            "strength": self.config.season.strength,
        }
        arrays = {"at": self._at, "values": self._values, "old": self._old, "profile": self.config.season.profile}
        return pack(NAME, VERSION, arrays, numbers)

    @classmethod
    def load(cls, data: bytes, config: ChangeConfig | None = None, calendar: Calendar | None = None) -> Self:
        """Go on where `dump` was called, with the season it had. Raises BadModel for anything else."""
        arrays, numbers = unpack(data, NAME, VERSION, may_lack=True)
        given = config or ChangeConfig()
        try:
            kind, strength = SeasonKind(numbers["kind"]), float(numbers["strength"])
            season = Season(kind, arrays["profile"], strength, calendar or Calendar())
            detector = cls(ChangeConfig(given.level_threshold, given.variance_threshold, season))
            detector._at, detector._values, detector._old = arrays["at"], arrays["values"], arrays["old"]
            detector._usual = Usual(*(float(number) for number in numbers["usual"]))
            detector._cling = np.array([float(number) for number in numbers["cling"]])
            detector._seen, detector._waited = int(numbers["seen"]), int(numbers["waited"])
            detector._slope, detector._since = float(numbers["slope"]), float(numbers["since"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadModel("the state lacks a part") from error
        if (
            detector._at.shape != detector._values.shape
            or detector._at.ndim != 1
            or season.profile.ndim != 2
            or len(detector._old) != 2
        ):
            raise BadModel("the parts of the state do not fit together")
        return detector
