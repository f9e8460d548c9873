"""How unusual alerts are for their tenant, from how rare their parts are.

Two views, each a tail probability among the tenant's own past: an Isolation Forest, which sees what is rare in
combination, and the rarest single feature, which a forest sees badly: beyond the highest value it has ever split,
further away looks the same. The smaller one counts, corrected for having looked more than once (Bonferroni).
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from alerting.scoring.numerics.forest import Forest, thin
from alerting.scoring.numerics.packing import Array, BadModel, pack, unpack
from alerting.scoring.numerics.rarity import FEATURES, Rarity, Seen

NAME: Final = "novelty"
VERSION: Final = 1
#: With fewer alerts in the past everything would be news.
LEAST_HISTORY: Final = 200
#: Deviations from the usual below which a feature is no reason.
WORTH_NAMING: Final = 2.0
MOST_REASONS: Final = 3


class Novelty(msgspec.Struct, frozen=True):
    """How unusual one alert is: the share of the tenant's past alerts that were at least so unusual, and why."""

    probability: float
    reasons: tuple[str, ...]


class NoveltyModel:
    """Counts, forest, and what the features usually are."""

    def __init__(self, rarity: Rarity, forest: Forest, tails: NDArray[np.float32]) -> None:
        self._rarity, self._forest = rarity, forest
        #: The past values of each feature in rising order, shape (len(FEATURES), k), thinned.
        self._tails = tails
        low, self._middle, high = np.quantile(tails, (0.1, 0.5, 0.9), axis=1)
        self._spread = np.maximum(high - low, 0.5) / 2

    @classmethod
    def learn(cls, history: Sequence[Seen]) -> "NoveltyModel | None":
        """Learn from a tenant's past alerts; None while there are fewer than LEAST_HISTORY."""
        if len(history) < LEAST_HISTORY:
            return None
        rarity = Rarity.learn(history)
        rows = rarity.features(history)
        tails = np.stack([thin(np.sort(column)) for column in rows.T])
        return cls(rarity, Forest.grow(rows), tails)

    def judge(self, batch: Sequence[Seen]) -> list[Novelty]:
        """Judge alerts that came together."""
        if not batch:
            return []
        rows = self._rarity.features(batch)
        probabilities = self._probabilities(rows)
        # Of severity there is nothing to say: it is a fact of the alert, not a reason.
        deviations = ((rows - self._middle) / self._spread)[:, :-1]
        order = np.argsort(-deviations, axis=1)[:, :MOST_REASONS]
        is_worth = np.take_along_axis(deviations, order, axis=1) >= WORTH_NAMING
        return [
            Novelty(
                probability, tuple(FEATURES[column] for column, worth in zip(columns, worths, strict=True) if worth)
            )
            for probability, columns, worths in zip(
                probabilities.tolist(), order.tolist(), is_worth.tolist(), strict=True
            )
        ]

    def _probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        size = self._tails.shape[1]
        single = np.ones(len(rows))
        for tail, column in zip(self._tails[:-1], rows.T[:-1], strict=True):
            above = size - np.searchsorted(tail, column.astype(np.float32), side="left")
            single = np.minimum(single, (above + 1.0) / (size + 1.0))
        views = len(self._tails) - 1
        return np.minimum(1.0, 2.0 * np.minimum(self._forest.tail_probability(rows), views * single))

    def dump(self) -> bytes:
        """The model as bytes."""
        arrays: dict[str, Array] = {
            "rarity": np.frombuffer(self._rarity.dump(), np.uint8),
            "forest": np.frombuffer(self._forest.dump(), np.uint8),
            "tails": self._tails,
        }
        return pack(NAME, VERSION, arrays)

    @classmethod
    def load(cls, data: bytes) -> "NoveltyModel":
        """Read what `dump` wrote; raises BadModel for anything else."""
        arrays, _facts = unpack(data, NAME, VERSION)
        try:
            tails = arrays["tails"]
            if tails.ndim != 2 or len(tails) != len(FEATURES) or not tails.shape[1]:
                raise BadModel("The model is for other features.")
            return cls(
                Rarity.load(arrays["rarity"].tobytes()), Forest.load(arrays["forest"].tobytes(), len(FEATURES)), tails
            )
        except KeyError as error:
            raise BadModel("A part of the model is missing.") from error
