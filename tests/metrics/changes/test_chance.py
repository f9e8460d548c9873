"""What is called the chance of a change is how often a series that never changes shows one."""

from collections import Counter

import numpy as np
import pytest

from metrics.changes import ChangeConfig, ChangeDetector, Kind, chance_of

POINTS, SERIES = 4_000, 10
LEVEL, VARIANCE = 2.8, 3.2


@pytest.mark.parametrize("memory", [0.0, 0.5])
def test_the_chance_told_is_that_of_noise(memory: float) -> None:
    """Rather told too likely than not: series that cling to themselves show less than that."""
    at = np.arange(POINTS) * 60.0
    found: Counter[Kind] = Counter()
    for seed in range(SERIES):
        values = np.random.default_rng([seed, 31]).normal(size=POINTS)
        for place in range(1, POINTS):
            values[place] += memory * values[place - 1]
        found.update(change.kind for change in ChangeDetector(ChangeConfig(LEVEL, VARIANCE)).scan(at, values))
    for kind, edge in ((Kind.LEVEL, LEVEL), (Kind.VARIANCE, VARIANCE)):
        told = chance_of(kind, edge) * POINTS * SERIES
        assert told / 8 <= found[kind] <= 2 * told
