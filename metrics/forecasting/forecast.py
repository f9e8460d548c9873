"""A fitted forecast: asked for any later moment, stored in a few kilobytes."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from alerting.scoring.numerics.packing import BadModel, pack, unpack
from metrics.forecasting.widths import widths_of
from metrics.seasons import Calendar, Floats, Kind, Season

NAME = "forecast"
VERSION = 1
NUMBERS = ("end", "step", "slope", "reach", "floor", "ceiling")


class Prediction(NamedTuple):
    """Per moment the expected value and the interval that holds a single sample with the coverage asked. float64[n]."""

    at: Floats
    expected: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Forecast:
    """`end` is the moment the forecast starts from (unix seconds), `step` the seconds of one cell.

    `base` float64[h] is what is expected without the season `horizons` float64[h] cells ahead, `slope` per cell how it
    goes on after the last of them, in the unit of the series. `sample_errors` and `level_errors` float64[origins, h]
    are what past forecasts were off by, for single samples and for the cells' medians. `reach` is how many cells the
    origins span. `calibrated_until` is the last moment that past errors speak of.
    """

    end: float
    step: float
    base: Floats
    slope: float
    season: Season
    horizons: Floats
    sample_errors: Floats
    level_errors: Floats
    reach: int
    floor: float | None = None
    ceiling: float | None = None

    @property
    def calibrated_until(self) -> float:
        """Up to here the width of intervals is measured; beyond, it is continued."""
        told = np.isfinite(self.sample_errors).sum(axis=0) >= 5
        return self.end + self.step * (float(self.horizons[told].max()) if told.any() else 0.0)

    def expected(self, at: Floats) -> Floats:
        """The expected value at each moment, kept within floor and ceiling."""
        ahead = (at - self.end) / self.step
        value = np.interp(ahead, self.horizons, self.base) + self.slope * np.maximum(ahead - self.horizons[-1], 0.0)
        return self._bounded(value + self.season.at(at))

    def predict(self, at: Floats, coverage: float = 0.95) -> Prediction:
        """Expected values and intervals at moments after `end` (unix seconds, float64[n])."""
        if not 0.5 <= coverage < 1:
            raise ValueError("coverage must lie in [0.5, 1)")
        expected = self.expected(at)
        widths = widths_of(self.sample_errors, self.horizons, reach=self.reach, coverage=coverage)
        ahead = np.maximum((at - self.end) / self.step, 1.0)
        width = np.interp(ahead, self.horizons, widths)
        beyond = ahead > self.horizons[-1]
        width[beyond] = widths[-1] * ahead[beyond] / self.horizons[-1]
        return Prediction(at, expected, self._bounded(expected - width), self._bounded(expected + width))

    def _bounded(self, values: Floats) -> Floats:
        if self.floor is None and self.ceiling is None:
            return values
        kept: Floats = np.clip(values, self.floor, self.ceiling)
        return kept

    def dump(self) -> bytes:
        """All of it but the calendar; errors as float32."""
        numbers: dict[str, Any] = {name: getattr(self, name) for name in NUMBERS}
        numbers |= {"kind": self.season.kind.value, "strength": self.season.strength}
        arrays: dict[str, npt.NDArray[Any]] = {
            "profile": self.season.profile,
            "horizons": self.horizons,
            "base": self.base,
            "sample_errors": self.sample_errors.astype(np.float32),
            "level_errors": self.level_errors.astype(np.float32),
        }
        return pack(NAME, VERSION, arrays, numbers)

    @classmethod
    def load(cls, data: bytes, calendar: Calendar | None = None) -> Self:
        """Read what `dump` wrote. Raises BadModel for anything else."""
        arrays, numbers = unpack(data, NAME, VERSION, may_lack=True)
        try:
            strength = float(numbers.pop("strength"))
            season = Season(Kind(numbers.pop("kind")), arrays["profile"], strength, calendar or Calendar())
            forecast = cls(
                season=season,
                horizons=arrays["horizons"],
                base=arrays["base"],
                sample_errors=arrays["sample_errors"].astype(np.float64),
                level_errors=arrays["level_errors"].astype(np.float64),
                **{name: numbers[name] for name in NUMBERS},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadModel("the state lacks a part") from error
        shape = (len(forecast.level_errors), forecast.horizons.size)
        shapes = {forecast.sample_errors.shape, forecast.level_errors.shape, (shape[0], *forecast.base.shape)}
        if shapes != {shape} or season.profile.ndim != 2:
            raise BadModel("the parts of the state do not fit together")
        return forecast
