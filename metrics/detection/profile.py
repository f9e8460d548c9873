"""Mean and variance of a series for each bucket of a period."""

import numpy as np

from metrics.detection.state import Arrays, StateError, take


class Profile:
    """Buckets of a day or a week, each a slowly forgetting mean and variance."""

    def __init__(self, size: int, rate: float, neighbours: float) -> None:
        self.size = size
        self.rate = rate
        self.neighbours = neighbours
        self.mean = [0.0] * size
        self.variance = [0.0] * size
        self.weight = [0.0] * size

    def learn(self, bucket: int, value: float, variance: float) -> None:
        """Move a bucket towards a value, and its neighbours less; a new bucket starts with the series' variance."""
        self.move(bucket, value, 1.0, variance)
        if self.neighbours and self.size > 2:
            self.move(bucket - 1, value, self.neighbours, variance)
            self.move((bucket + 1) % self.size, value, self.neighbours, variance)

    def move(self, bucket: int, value: float, share: float, variance: float) -> None:
        """Move one bucket."""
        weight = self.weight[bucket] + share
        if weight == share:
            self.mean[bucket], self.variance[bucket] = value, variance
        else:
            rate = max(self.rate * share, share / weight)
            away = value - self.mean[bucket]
            self.mean[bucket] += rate * away
            self.variance[bucket] += rate * (away * away - self.variance[bucket])
        self.weight[bucket] = weight

    def resampled(self, size: int) -> "Profile":
        """Return the profile in buckets of another width, with what was learned."""
        other = Profile(size, self.rate, self.neighbours)
        if any(self.weight) and self.size > 1:
            source = [int((bucket + 0.5) / size * self.size) for bucket in range(size)]
            other.mean = [self.mean[place] for place in source]
            other.variance = [self.variance[place] for place in source]
            other.weight = [self.weight[place] for place in source]
        return other

    def dump(self, name: str) -> Arrays:
        """Return the buckets as arrays."""
        return {
            f"{name}.mean": np.array(self.mean),
            f"{name}.variance": np.array(self.variance),
            f"{name}.weight": np.array(self.weight),
        }

    def load(self, name: str, arrays: Arrays, *, least: int = 1, most: int) -> None:
        """Take over what `dump` returned."""
        mean = take(arrays, f"{name}.mean", "d", least=least, most=most)
        self.size = len(mean)
        variance = take(arrays, f"{name}.variance", "d", least=self.size, most=self.size)
        weight = take(arrays, f"{name}.weight", "d", least=self.size, most=self.size)
        if bool((variance < 0.0).any()) or bool((weight < 0.0).any()):
            raise StateError(f"{name}: negative")
        self.mean, self.variance, self.weight = mean.tolist(), variance.tolist(), weight.tolist()
