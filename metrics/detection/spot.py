"""A plain alternative: how far out a value lies in the tails of what its season leaves unexplained."""

import numpy as np
from numpy.typing import NDArray

from metrics.detection.config import DEFAULT, Config
from metrics.detection.season import Expected
from metrics.detection.streaming import Memory, Streaming
from metrics.detection.tail import Tail

Floats = NDArray[np.float64]

UNSETTLED = 50
"""First points that are passed over: nothing is known yet that a residual could be measured by."""


class TailDetector(Streaming):
    """Ranks the residual against the time of day, upwards and downwards, with extreme values beyond the past."""

    kind = "tail"
    part_names = ("above", "below")

    def __init__(self, config: Config = DEFAULT) -> None:
        super().__init__(config)
        self.tails = {name: Tail(config.tail_memory, config.tail_warmup) for name in self.part_names}

    def views(self, values: Floats, expected: Expected) -> dict[str, Floats]:
        """Return how deep each residual lies in either tail."""
        z = np.where(self.values.filled(UNSETTLED), expected.z, np.nan)
        signed = {"above": z.tolist(), "below": (-z).tolist()}
        return {name: np.array(self.tails[name].run(side)) / self.config.tail_scale for name, side in signed.items()}

    def fuse(self, parts: dict[str, Floats]) -> Floats:
        """Return the deeper of the two: a value is high or low, never both."""
        return np.maximum(parts["above"], parts["below"])

    def memories(self) -> dict[str, Memory]:
        """Return everything that remembers, by its name in the state."""
        return {**super().memories(), **self.tails}
