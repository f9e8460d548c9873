"""An isolation forest whose scores mean something: the tail probability among the rows it was grown from.

A raw score means different things in different forests.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerting.scoring.numerics.packing import BadModel, pack, unpack
from alerting.scoring.numerics.trees import Trees

NAME: Final = "isolation-forest"
VERSION: Final = 2
TREES: Final = 64
ROWS_A_TREE: Final = 256
#: Scores kept for the tail: enough for one in two thousand.
TAIL_POINTS: Final = 2_048

Floats = NDArray[np.float64]


class Forest:
    """Trees, and how they scored the rows they were grown from, in rising order."""

    def __init__(self, trees: Trees, tail: NDArray[np.float32]) -> None:
        self.trees, self.tail = trees, tail

    @classmethod
    def grow(cls, rows: Floats, seed: int = 7) -> "Forest":
        """Grow a forest from at least two rows of finite features, shape (n, d)."""
        trees = Trees.grown(np.asarray(rows, dtype=np.float32), count=TREES, samples=ROWS_A_TREE, seed=seed)
        return cls(trees, thin(np.sort(trees.score(rows))))

    def score(self, rows: Floats | NDArray[np.float32]) -> Floats:
        """The score of each row, shape (n,), between 0 and 1; higher is more isolated."""
        return self.trees.score(rows)

    def tail_probability(self, rows: Floats) -> Floats:
        """How probable a score as high as each row's is among the rows the forest grew from, in (0, 1]."""
        above = len(self.tail) - np.searchsorted(self.tail, self.score(rows).astype(np.float32), side="left")
        return np.asarray((above + 1.0) / (len(self.tail) + 1.0))

    def dump(self) -> bytes:
        """The forest as bytes."""
        return pack(NAME, VERSION, {**self.trees.arrays(), "tail": self.tail})

    @classmethod
    def load(cls, data: bytes, features: int | None = None) -> "Forest":
        """Read what `dump` wrote, for so many features; raises BadModel for anything else."""
        arrays, _facts = unpack(data, NAME, VERSION)
        tail = arrays.get("tail")
        if tail is None or tail.ndim != 1 or tail.dtype.kind != "f":
            raise BadModel("A part of the forest is missing: tail.")
        return cls(Trees.from_arrays(arrays, features), tail)


def thin(scores: Floats) -> NDArray[np.float32]:
    """At most TAIL_POINTS of the sorted scores, evenly spread, the highest kept."""
    kept: NDArray[np.float32] = scores.astype(np.float32)
    if len(kept) > TAIL_POINTS:
        kept = kept[np.linspace(0, len(kept) - 1, TAIL_POINTS).round().astype(int)]
    return kept
