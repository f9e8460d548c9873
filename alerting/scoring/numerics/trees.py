"""An isolation forest as plain arrays: grown by scikit-learn, stored and scored without it; never a pickle.

Source: Liu, Ting, Zhou, "Isolation Forest", ICDM 2008. The score is 2^(-E[h(x)] / c(n)) as there: near 1 is
isolated quickly, near 0.5 is like the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerting.scoring.numerics.packing import Array, BadModel

Floats = NDArray[np.float64]
Shorts = NDArray[np.int16]

LEAF: Final = -1
MOST_NODES: Final = 1 << 15
#: The arrays of a stored forest and their types.
STORED: Final = {"starts": "i8", "feature": "i2", "threshold": "f8", "left": "i2", "right": "i2", "path": "f8"}


def usual_path(count: NDArray[Any]) -> Floats:
    """c(n) of the paper: the mean path length of an unsuccessful search among n rows."""
    size = np.asarray(count, dtype=np.float64)
    large = 2.0 * (np.log(np.maximum(size - 1.0, 1.0)) + np.euler_gamma) - 2.0 * (size - 1.0) / np.maximum(size, 1.0)
    return np.where(size <= 1.0, 0.0, np.where(size <= 2.0, 1.0, large))


@dataclass(frozen=True)
class Walk:
    """Nodes by their place among all: the feature asked, the threshold, the two children, and how deep they go."""

    feature: NDArray[np.int64]
    threshold: Floats
    children: NDArray[np.int64]
    depth: int


@dataclass(frozen=True)
class Trees:
    """The nodes of all trees one after another; a node's children are places in its own tree.

    `path` is how deep a leaf lies, plus what the rows that share it would still need to be told apart.
    """

    starts: NDArray[np.int64]
    feature: Shorts
    threshold: Floats
    left: Shorts
    right: Shorts
    path: Floats
    samples: int

    @classmethod
    def grown(cls, rows: Floats | NDArray[np.float32], *, count: int, samples: int, seed: int) -> "Trees":
        """Grow a forest on rows of finite features."""
        from sklearn.ensemble import IsolationForest  # a heavy import, which judging does without

        samples = min(samples, len(rows))
        forest = IsolationForest(n_estimators=count, max_samples=samples, random_state=seed).fit(rows)
        return cls.taken_from(forest)

    @classmethod
    def taken_from(cls, forest: Any) -> "Trees":
        """Copy the nodes of a fitted scikit-learn forest that looks at all features."""
        trees = [estimator.tree_ for estimator in forest.estimators_]
        sizes = [tree.node_count for tree in trees]
        feature = np.concatenate([tree.feature for tree in trees])
        leaf = feature < 0
        path = np.concatenate([depths(tree) + usual_path(tree.n_node_samples) for tree in trees])
        return cls(
            starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            feature=np.where(leaf, LEAF, feature).astype(np.int16),
            threshold=np.where(leaf, 0.0, np.concatenate([tree.threshold for tree in trees])),
            left=np.where(leaf, 0, np.concatenate([tree.children_left for tree in trees])).astype(np.int16),
            right=np.where(leaf, 0, np.concatenate([tree.children_right for tree in trees])).astype(np.int16),
            path=np.where(leaf, path, 0.0),
            samples=int(forest.max_samples_),
        )

    @cached_property
    def _walk(self) -> "Walk":
        """The nodes as `score` walks them; a leaf leads to itself, so that all rows take the same number of steps."""
        leaf = self.feature == LEAF
        own = np.arange(len(self.feature))
        start = np.repeat(self.starts[:-1], np.diff(self.starts))
        left, right = (np.where(leaf, own, start + child) for child in (self.left, self.right))
        depth, level = 0, self.starts[:-1]
        while not bool(leaf[level].all()):
            level = level[~leaf[level]]
            level = np.concatenate([left[level], right[level]])
            depth += 1
        return Walk(
            feature=np.where(leaf, 0, self.feature).astype(np.int64),
            threshold=np.where(leaf, np.inf, self.threshold),
            children=np.stack([left, right], axis=1).ravel(),
            depth=depth,
        )

    def score(self, rows: Floats | NDArray[np.float32]) -> Floats:
        """Return how easily each row is told apart: 1 at once, about 0.5 for an ordinary one."""
        grid = rows.astype(np.float32).astype(np.float64)
        values, width = grid.ravel(), grid.shape[1]
        walk, starts = self._walk, self.starts[:-1]
        place = np.broadcast_to(starts, (len(grid), len(starts)))
        first = np.arange(len(grid))[:, None] * width
        for _ in range(walk.depth):
            goes_right = values.take(walk.feature.take(place) + first) > walk.threshold.take(place)
            place = walk.children.take(2 * place + goes_right)
        usual = float(usual_path(np.array(self.samples)))
        depth = np.cumsum(self.path[place], axis=1)[:, -1]
        return 2.0 ** (-depth / (len(starts) * usual)) if usual else np.ones(len(grid))

    def arrays(self) -> dict[str, Array]:
        """Return the nodes as the arrays that are stored, as STORED names them."""
        inner = self.feature != LEAF
        return {
            "starts": np.append(self.starts, self.samples),
            "feature": self.feature,
            "threshold": self.threshold[inner],
            "left": self.left[inner],
            "right": self.right[inner],
            "path": self.path[~inner],
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], features: int | None = None) -> "Trees":
        """Read stored nodes that look at so many features; raises BadModel for what would lead astray or never end."""
        for name, kind in STORED.items():
            if name not in arrays or arrays[name].dtype.str[1:] != kind or arrays[name].ndim != 1:
                raise BadModel(f"A part of the forest is missing: {name}.")
        *starts, samples = arrays["starts"].tolist()
        feature = arrays["feature"]
        inner = feature != LEAF
        sizes = np.diff(starts)
        if len(sizes) < 1 or samples < 1 or starts[0] != 0 or starts[-1] != len(feature):
            raise BadModel("The trees of the forest do not fit together.")
        if sizes.min() < 1 or sizes.max() > MOST_NODES:
            raise BadModel("A tree of the forest is empty or too large.")
        threshold, left, right = (_spread(arrays[name], inner) for name in ("threshold", "left", "right"))
        path = _spread(arrays["path"], ~inner)
        own = np.arange(len(feature)) - np.repeat(starts[:-1], sizes)
        size = np.repeat(sizes, sizes)
        for child in (left, right):
            # A child that does not come after its parent would make a search without an end.
            if bool((inner & ((child <= own) | (child >= size))).any()):
                raise BadModel("A branch of the forest leads nowhere.")
        if feature.min() < LEAF or (features is not None and feature.max() >= features):
            raise BadModel("The forest is for other features.")
        return cls(np.array(starts, dtype=np.int64), feature, threshold, left, right, path, samples)


def depths(tree: Any) -> NDArray[np.int64]:
    """Return how deep each node of a scikit-learn tree lies; a parent comes before its children."""
    depth = np.zeros(tree.node_count, dtype=np.int64)
    for node in range(tree.node_count):
        if tree.children_left[node] >= 0:
            depth[tree.children_left[node]] = depth[tree.children_right[node]] = depth[node] + 1
    return depth


def _spread(values: Array, where: NDArray[np.bool_]) -> Array:
    """Put values at the nodes they belong to, zero elsewhere."""
    if len(values) != where.sum():
        raise BadModel("The trees of the forest do not fit together.")
    whole = np.zeros(len(where), dtype=values.dtype)
    whole[where] = values
    return whole
