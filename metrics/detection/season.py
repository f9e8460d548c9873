"""What hour and weekday let one expect of a series, learned as it runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from metrics.detection.calendar import Calendar
from metrics.detection.profile import Profile
from metrics.detection.state import Arrays, take

DAY = 86_400.0
MOST_BUCKETS = 288
HOURS = 168
STEPS = 31
FIRST_LOOK = 16
LOOK_EVERY = 256
CHANGED = 1.5
LEVEL_RATE = 0.01
RECENT_RATE = 0.2
OFFSET_RATE = 0.05
ERROR_RATE = 0.01
CLEARLY = 0.9
"""A season is used when it errs clearly less than no season does."""
EDGE = 0.005
FARTHEST = 30.0
OLD = 30
"""Observations after which a forecast's error is believed."""


@dataclass
class Expected:
    """What was expected of each point of a batch: value, band, season used, and the seasonal z."""

    z: list[float] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    season: list[int] = field(default_factory=list)


class Interval:
    """The usual time between two points, learned from the last steps and looked at again now and then."""

    def __init__(self) -> None:
        self.usual = 0.0
        self.steps: list[float] = []
        self.last_at = -math.inf

    def step(self, at: float, seen: int) -> bool:
        """Take the time of a point; return whether the usual interval has become another one."""
        if at > self.last_at > -math.inf:
            self.steps.append(at - self.last_at)
            del self.steps[:-STEPS]
        self.last_at = max(self.last_at, at)
        if seen % LOOK_EVERY != FIRST_LOOK or not self.steps:
            return False
        found = sorted(self.steps)[len(self.steps) // 2]
        if self.usual and self.usual / CHANGED < found < self.usual * CHANGED:
            return False
        self.usual = found
        return True


class Season:
    """Two profiles (time of day, hour of week) and a plain level, of which the one that errs least is believed."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.interval = Interval()
        self.day = Profile(1, rate=0.05, neighbours=0.5)
        self.week = Profile(HOURS, rate=0.02, neighbours=0.0)
        self.seen = 0
        self.level = self.variance = self.recent = 0.0
        self.day_offset = self.week_offset = 0.0
        self.errors = [0.0, 0.0, 0.0]
        self.low = self.high = 3.0

    def run(self, at: Sequence[float], values: Sequence[float]) -> Expected:
        """Say what was expected of each point, then learn from it."""
        expected = Expected()
        for moment, value in zip(at, values, strict=True):
            self.one(moment, value, expected)
        return expected

    def one(self, at: float, value: float, expected: Expected) -> None:
        """Judge and learn one point."""
        if self.seen == 0:
            self.level = self.recent = value
        if self.interval.step(at, self.seen):
            self.day = self.day.resampled(max(1, min(MOST_BUCKETS, round(DAY / self.interval.usual))))
        share, hour = self.calendar.place(at)
        bucket = min(int(share * self.day.size), self.day.size - 1)
        day_known, week_known = self.day.weight[bucket] >= 2.0, self.week.weight[hour] >= 2.0
        residual = value - (self.day.mean[bucket] if day_known else self.level)
        expected.z.append(self.z(residual, self.day.variance[bucket] if day_known else self.variance))
        self.forecast(value, bucket if day_known else -1, hour if week_known else -1, expected)
        self.learn(value, residual)
        self.day.learn(bucket, value, self.variance)
        self.week.learn(hour, value, self.variance)
        self.seen += 1

    def z(self, residual: float, variance: float) -> float:
        """Return the residual against the time of day in units of its usual size."""
        usual = math.sqrt(0.5 * (variance + self.variance))
        if residual == 0.0 or self.seen == 0:
            return 0.0
        if usual <= 0.0:
            return math.copysign(10.0, residual)
        return max(-FARTHEST, min(FARTHEST, residual / usual))

    def forecast(self, value: float, bucket: int, hour: int, expected: Expected) -> None:
        """Forecast a point by the season that errs least, and learn how each of them erred."""
        day = self.day.mean[bucket] + self.day_offset if bucket >= 0 else self.recent
        week = self.week.mean[hour] + self.week_offset if hour >= 0 else self.recent
        plain, by_day, by_week = self.errors
        best = 1 if bucket >= 0 and by_day < CLEARLY * plain else 0
        if hour >= 0 and by_week < CLEARLY * (by_day if best else plain):
            best = 2
        forecast = (self.recent, day, week)[best]
        usual = self.errors[best]
        expected.value.append(forecast)
        expected.season.append(best)
        expected.low.append(forecast - self.low * usual)
        expected.high.append(forecast + self.high * usual)
        if self.seen >= OLD:
            self.move_band((value - forecast) / usual if usual > 0.0 else 0.0)
        rate = max(ERROR_RATE, 1.0 / (self.seen + 1))
        for place, guess in enumerate((self.recent, day, week)):
            self.errors[place] += rate * (abs(value - guess) - self.errors[place])
        if bucket >= 0:
            self.day_offset += OFFSET_RATE * (value - self.day.mean[bucket] - self.day_offset)
        if hour >= 0:
            self.week_offset += OFFSET_RATE * (value - self.week.mean[hour] - self.week_offset)

    def move_band(self, error: float) -> None:
        """Move the two edges so that each is crossed by one point in two hundred."""
        pace = 0.5 if self.seen < 500 else 0.1
        self.high = max(0.5, self.high + pace * self.high * (float(error > self.high) - EDGE))
        self.low = max(0.5, self.low + pace * self.low * (float(-error > self.low) - EDGE))

    def learn(self, value: float, residual: float) -> None:
        """Move the level, the variance about the season, and the recent level."""
        rate = max(LEVEL_RATE, 1.0 / (self.seen + 1))
        self.variance += rate * (residual * residual - self.variance)
        self.level += rate * (value - self.level)
        self.recent += RECENT_RATE * (value - self.recent)

    def dump(self, name: str) -> Arrays:
        """Return the memory as arrays."""
        last_at = self.interval.last_at if self.seen else 0.0
        scalars = [self.level, self.variance, self.recent, self.day_offset, self.week_offset, *self.errors]
        return {
            f"{name}.scalars": np.array([*scalars, self.low, self.high, self.interval.usual, last_at]),
            f"{name}.seen": np.array([self.seen], dtype=np.int64),
            f"{name}.steps": np.array(self.interval.steps, dtype=np.float64),
            **self.day.dump(f"{name}.day"),
            **self.week.dump(f"{name}.week"),
        }

    def load(self, name: str, arrays: Arrays) -> None:
        """Take over what `dump` returned."""
        scalars = take(arrays, f"{name}.scalars", "d", least=12, most=12).tolist()
        self.level, self.variance, self.recent, self.day_offset, self.week_offset = scalars[:5]
        self.errors = scalars[5:8]
        self.low, self.high, self.interval.usual, last_at = scalars[8:]
        self.seen = max(0, int(take(arrays, f"{name}.seen", "q", least=1, most=1)[0]))
        self.interval.last_at = last_at if self.seen else -math.inf
        self.interval.steps = take(arrays, f"{name}.steps", "d", most=STEPS).tolist()
        self.day.load(f"{name}.day", arrays, most=MOST_BUCKETS)
        self.week.load(f"{name}.week", arrays, least=HOURS, most=HOURS)
