"""Isolation Forest whose trees are plain arrays: grown by scikit-learn, stored without pickle, scored with numpy.

Source: Liu, Ting, Zhou, "Isolation Forest", ICDM 2008. The score is 2^(-E[h(x)] / c(n)) as there: near 1 is
isolated quickly, near 0.5 is like the rest. A raw score means different things in different forests; what is
used is its tail probability among the scores of the rows the forest was grown from.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerting.scoring.numerics.packing import Array, BadModel, pack, unpack

NAME: Final = "isolation-forest"
VERSION: Final = 1
TREES: Final = 64
ROWS_A_TREE: Final = 256
#: Scores kept for the tail: enough for one in two thousand.
TAIL_POINTS: Final = 2_048

Floats = NDArray[np.float64]


def expected_depth(rows: NDArray[np.int64] | NDArray[np.float64]) -> Floats:
    """c(n) of the paper: the mean depth of an unsuccessful search in a binary tree of n rows."""
    n = np.asarray(rows, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        harmonic = np.log(n - 1) + np.euler_gamma
        depth = 2 * harmonic - 2 * (n - 1) / n
    return np.where(n > 2, depth, np.where(n == 2, 1.0, 0.0))


class Forest:
    """Trees as arrays of one row a tree, padded; leaves point at themselves, so that all rows take the same steps."""

    def __init__(
        self,
        *,
        feature: NDArray[np.int16],
        threshold: NDArray[np.float32],
        left: NDArray[np.int16],
        right: NDArray[np.int16],
        depth: NDArray[np.float32],
        normal: float,
        steps: int,
        tail: NDArray[np.float32],
    ) -> None:
        self.feature, self.threshold, self.left, self.right = feature, threshold, left, right
        #: At a leaf: its depth plus the expected depth of what it holds; elsewhere unused.
        self.depth = depth
        self.normal, self.steps = normal, steps
        self.tail = tail

    @classmethod
    def grow(cls, rows: Floats, seed: int = 7) -> "Forest":
        """Grow a forest from at least two rows of finite features, shape (n, d)."""
        from sklearn.ensemble import IsolationForest  # a second to import, and only refits need it

        rows = np.asarray(rows, dtype=np.float32)
        size = min(ROWS_A_TREE, len(rows))
        model = IsolationForest(n_estimators=TREES, max_samples=size, random_state=seed).fit(rows)
        trees = [estimator.tree_ for estimator in model.estimators_]
        width = max(tree.node_count for tree in trees)
        shape = (len(trees), width)
        feature, left, right = (np.zeros(shape, np.int16) for _ in range(3))
        threshold, depth = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        steps = 0
        for number, (tree, columns) in enumerate(zip(trees, model.estimators_features_, strict=True)):
            count = tree.node_count
            own = np.arange(count)
            is_leaf = tree.children_left < 0
            left[number, :count] = np.where(is_leaf, own, tree.children_left)
            right[number, :count] = np.where(is_leaf, own, tree.children_right)
            feature[number, :count] = np.where(is_leaf, 0, columns[np.maximum(tree.feature, 0)])
            # scikit-learn compares in double precision: the largest float32 that is not above says the same.
            threshold[number, :count] = _down_to_float32(tree.threshold)
            level = _levels(tree.children_left, tree.children_right)
            depth[number, :count] = level + expected_depth(tree.n_node_samples)
            steps = max(steps, int(level.max()))
        forest = cls(
            feature=feature,
            threshold=threshold,
            left=left,
            right=right,
            depth=depth,
            normal=float(expected_depth(np.array([size]))[0]),
            steps=steps,
            tail=np.zeros(0, np.float32),
        )
        forest.tail = thin(np.sort(forest.score(rows)))
        return forest

    def score(self, rows: Floats | NDArray[np.float32]) -> Floats:
        """The score of each row, shape (n,), between 0 and 1; higher is more isolated."""
        values = np.asarray(rows, dtype=np.float32)
        if not len(values):
            return np.zeros(0)
        trees = np.arange(len(self.feature))
        at = np.zeros((len(values), len(trees)), dtype=np.intp)
        row = np.arange(len(values))[:, None]
        for _ in range(self.steps):
            goes_left = values[row, self.feature[trees, at]] <= self.threshold[trees, at]
            at = np.where(goes_left, self.left[trees, at], self.right[trees, at]).astype(np.intp)
        mean: Floats = self.depth[trees, at].mean(axis=1, dtype=np.float64)
        return np.asarray(2.0 ** (-mean / self.normal)) if self.normal else np.full(len(values), 0.5)

    def tail_probability(self, rows: Floats) -> Floats:
        """How probable a score as high as each row's is among the rows the forest grew from, in (0, 1]."""
        above = len(self.tail) - np.searchsorted(self.tail, self.score(rows).astype(np.float32), side="left")
        return np.asarray((above + 1.0) / (len(self.tail) + 1.0))

    def dump(self) -> bytes:
        """The forest as bytes."""
        arrays: dict[str, Array] = {
            "feature": self.feature,
            "threshold": self.threshold,
            "left": self.left,
            "right": self.right,
            "depth": self.depth,
            "tail": self.tail,
        }
        return pack(NAME, VERSION, arrays, {"normal": self.normal, "steps": self.steps})

    @classmethod
    def load(cls, data: bytes) -> "Forest":
        """Read what `dump` wrote; raises BadModel for anything else."""
        arrays, facts = unpack(data, NAME, VERSION)
        try:
            forest = cls(**arrays, normal=float(facts["normal"]), steps=int(facts["steps"]))
        except (TypeError, KeyError) as error:
            raise BadModel("A part of the forest is missing.") from error
        width = forest.feature.shape[-1]
        shapes = {array.shape for name, array in arrays.items() if name != "tail"}
        if len(shapes) != 1 or forest.feature.ndim != 2 or not 0 <= forest.steps <= width:
            raise BadModel("The trees of the forest do not fit together.")
        if any(((array < 0) | (array >= width)).any() for array in (forest.left, forest.right)):
            raise BadModel("A branch of the forest leads nowhere.")
        return forest


def _levels(left: NDArray[np.int64], right: NDArray[np.int64]) -> Floats:
    """The depth of each node; children come after their parents."""
    level = np.zeros(len(left))
    for node in np.flatnonzero(left >= 0):
        level[left[node]] = level[right[node]] = level[node] + 1
    return level


def _down_to_float32(values: Floats) -> NDArray[np.float32]:
    near: NDArray[np.float32] = values.astype(np.float32)
    below: NDArray[np.float32] = np.nextafter(near, np.float32(-np.inf))
    near[near > values] = below[near > values]
    return near


def thin(scores: Floats) -> NDArray[np.float32]:
    """At most TAIL_POINTS of the sorted scores, evenly spread, the highest kept."""
    kept: NDArray[np.float32] = scores.astype(np.float32)
    if len(kept) > TAIL_POINTS:
        kept = kept[np.linspace(0, len(kept) - 1, TAIL_POINTS).round().astype(int)]
    return kept
