"""An isolation forest as plain arrays: grown by scikit-learn, stored and scored without it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.detection.state import Arrays, StateError, take

Floats = NDArray[np.float64]
Shorts = NDArray[np.int16]

LEAF = -1
EULER = 0.5772156649015329
MOST_NODES = 1 << 15


def usual_path(count: NDArray[Any]) -> Floats:
    """Return the mean path length of an unsuccessful search among so many points."""
    size = np.asarray(count, dtype=np.float64)
    large = 2.0 * (np.log(np.maximum(size - 1.0, 1.0)) + EULER) - 2.0 * (size - 1.0) / np.maximum(size, 1.0)
    return np.where(size <= 1.0, 0.0, np.where(size <= 2.0, 1.0, large))


@dataclass(frozen=True)
class Trees:
    """The nodes of all trees one after another; a node's children are places in its own tree.

    `path` is how deep a leaf lies, plus what the points that share it would still need to be told apart.
    """

    starts: NDArray[np.int64]
    feature: Shorts
    threshold: Floats
    left: Shorts
    right: Shorts
    path: Floats
    samples: int

    @classmethod
    def grown(cls, rows: Floats, *, count: int, samples: int, seed: int) -> "Trees":
        """Grow a forest on rows of features."""
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

    def score(self, rows: Floats) -> Floats:
        """Return how easily each row is told apart: 1 at once, about 0.5 for an ordinary one."""
        grid = rows.astype(np.float32).astype(np.float64)
        starts = self.starts[:-1]
        place = np.broadcast_to(starts, (len(grid), len(starts))).copy()
        feature = self.feature[place]
        row = np.arange(len(grid))[:, None]
        while bool((feature != LEAF).any()):
            goes_left = grid[row, feature] <= self.threshold[place]
            child = np.where(goes_left, self.left[place], self.right[place])
            place = np.where(feature == LEAF, place, starts + child)
            feature = self.feature[place]
        usual = float(usual_path(np.array(self.samples)))
        depth = np.cumsum(self.path[place], axis=1)[:, -1]
        return 2.0 ** (-depth / (len(starts) * usual)) if usual else np.ones(len(grid))

    def dump(self, name: str) -> Arrays:
        """Return the nodes as arrays."""
        inner = self.feature != LEAF
        return {
            f"{name}.starts": np.append(self.starts, self.samples),
            f"{name}.feature": self.feature,
            f"{name}.threshold": self.threshold[inner],
            f"{name}.left": self.left[inner],
            f"{name}.right": self.right[inner],
            f"{name}.path": self.path[~inner],
        }

    @classmethod
    def load(cls, name: str, arrays: Arrays, features: int) -> "Trees":
        """Read the nodes; a child before its parent or outside its tree raises, so that scoring always ends."""
        *starts, samples = take(arrays, f"{name}.starts", "q", least=3).tolist()
        feature = take(arrays, f"{name}.feature", "h", least=1)
        inner = feature != LEAF
        count = int(inner.sum())
        threshold = spread(take(arrays, f"{name}.threshold", "d", least=count, most=count), inner)
        left = spread(take(arrays, f"{name}.left", "h", least=count, most=count), inner)
        right = spread(take(arrays, f"{name}.right", "h", least=count, most=count), inner)
        path = spread(take(arrays, f"{name}.path", "d", least=len(feature) - count, most=len(feature) - count), ~inner)
        sizes = np.diff(starts)
        if starts[0] != 0 or starts[-1] != len(feature) or sizes.min() < 1 or sizes.max() > MOST_NODES or samples < 1:
            raise StateError(f"{name}: trees")
        own = np.arange(len(feature)) - np.repeat(starts[:-1], sizes)
        size = np.repeat(sizes, sizes)
        for child in (left, right):
            if bool((inner & ((child <= own) | (child >= size))).any()):
                raise StateError(f"{name}: children")
        if feature.min() < LEAF or feature.max() >= features:
            raise StateError(f"{name}: features")
        return cls(np.array(starts, dtype=np.int64), feature, threshold, left, right, path, samples)


def depths(tree: Any) -> NDArray[np.int64]:
    """Return how deep each node of a scikit-learn tree lies; a parent comes before its children."""
    depth = np.zeros(tree.node_count, dtype=np.int64)
    for node in range(tree.node_count):
        if tree.children_left[node] >= 0:
            depth[tree.children_left[node]] = depth[tree.children_right[node]] = depth[node] + 1
    return depth


def spread(values: NDArray[Any], where: NDArray[np.bool_]) -> NDArray[Any]:
    """Put values at the nodes they belong to, zero elsewhere."""
    whole = np.zeros(len(where), dtype=values.dtype)
    whole[where] = values
    return whole
