"""When a series that sends nothing any more counts as silent."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: So many of its own intervals, and never less than these seconds, pass before a series is called silent.
INTERVALS: Final = 5.0
SHORTEST: Final = 60.0


def patience(interval: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many seconds without a sample are still usual; infinite where the interval was not learned yet."""
    return np.where(interval > 0, np.maximum(interval * INTERVALS, SHORTEST), np.inf)
