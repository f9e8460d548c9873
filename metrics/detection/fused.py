"""The default detector of one series: six views of it, each calibrated against the series' own past, fused."""

import numpy as np
from numpy.typing import NDArray

from metrics.detection.config import DEFAULT, Config
from metrics.detection.gap import Gap
from metrics.detection.season import Expected
from metrics.detection.streaming import Memory, Streaming
from metrics.detection.tail import Tail
from metrics.detection.windows import Recent

Floats = NDArray[np.float64]

GAPS = ("value_gap", "spread_gap")
TAILS = ("rise_day", "rise_hour", "spread", "season_low")


class Detector(Streaming):
    """Fuses two distances to anything seen before with four statistics ranked among their own past."""

    kind = "fused"
    part_names = (*GAPS, *TAILS)

    def __init__(self, config: Config = DEFAULT) -> None:
        super().__init__(config)
        self.residuals = Recent()
        self.gaps = {name: Gap(config.gap_memory, config.gap_warmup) for name in GAPS}
        self.tails = {name: Tail(config.tail_memory, config.tail_warmup) for name in TAILS}

    def views(self, values: Floats, expected: Expected) -> dict[str, Floats]:
        """Return what each view finds, in units of which about one is ordinary strangeness."""
        recent, residuals = self.values, self.residuals
        residuals.push(np.array(expected.z))
        low = np.where(residuals.filled(72), -(residuals.mean(72) + residuals.anchor), np.nan)
        gaps = {
            "value_gap": values,
            "spread_gap": np.where(recent.filled(24), recent.spread(24), np.nan),
        }
        tails = {
            "rise_day": recent.shift(24, 150),
            "rise_hour": recent.shift(6, 60),
            "spread": np.where(recent.filled(72), recent.spread(72), np.nan),
            "season_low": low,
        }
        found = {}
        for name, view in gaps.items():
            found[name] = np.array(self.gaps[name].run(view.tolist())) / self.config.gap_scale
        for name, view in tails.items():
            found[name] = np.array(self.tails[name].run(view.tolist())) / self.config.tail_scale
        return found

    def memories(self) -> dict[str, Memory]:
        """Return everything that remembers, by its name in the state."""
        return {**super().memories(), "residuals": self.residuals, **self.gaps, **self.tails}
