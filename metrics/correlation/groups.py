"""Which series move as one: groups that most likely have one cause.

Likeness is the highest correlation of two series' courses over all lags; groups are joined while the mean likeness of
all their pairs stays above a limit (average linkage, Sokal & Michener 1958).
"""

from dataclasses import dataclass

import numpy as np

from metrics.correlation.frame import Frame
from metrics.seasons import Floats
from metrics.seasons.points import Ints

LEAST_ALIKE = 0.6
MOVED = 3.0  # usual deviations


@dataclass(frozen=True, slots=True)
class Group:
    """`keys` in the order in which they moved, `lags` seconds after the first; `cohesion` is mean likeness 0..1."""

    keys: tuple[str, ...]
    lags: tuple[float, ...]
    cohesion: float

    @property
    def lead(self) -> str:
        """The one that moved first: where to look."""
        return self.keys[0]


def group_series(
    frame: Frame, keys: list[str] | None = None, *, longest_lag: float = 1800.0, alike: float = LEAST_ALIKE
) -> list[Group]:
    """Group the series (all of the frame, or `keys`) by their course around the event, the largest group first.

    Series that stay within three usual deviations throughout the event did not move and are in no group.
    """
    chosen = [place for place, key in enumerate(frame.keys) if keys is None or key in set(keys)]
    length = frame.values.shape[1] - frame.event
    begin = max(0, frame.event - length)
    smooth = smoothed(frame.values[chosen][:, begin:])
    moved = np.abs(smooth[:, frame.event - begin :]).max(axis=1, initial=0.0) >= MOVED
    rows = [place for place, is_moved in zip(chosen, moved, strict=True) if is_moved]
    if not rows:
        return []
    reach = min(max(1, round(longest_lag / frame.step)), max(1, length - 1))
    likeness, lags = alikeness(frame.values[rows][:, begin:], reach)
    groups = [told(frame, rows, members, likeness, lags) for members in linked(likeness, alike)]
    return sorted(groups, key=lambda group: (-len(group.keys), -group.cohesion, group.keys))


def smoothed(values: Floats) -> Floats:
    """Means of three cells, so that one odd value is no movement."""
    padded = np.pad(values, ((0, 0), (1, 1)), mode="edge")
    mean: Floats = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3
    return mean


def alikeness(values: Floats, reach: int) -> tuple[Floats, Ints]:
    """For each pair the highest |correlation| over lags up to `reach` cells, and how many cells the row moved first."""
    count = values.shape[0]
    best = np.zeros((count, count))
    lag = np.zeros((count, count), dtype=np.int64)
    for shift in range(reach + 1):
        early, late = unit(values[:, : values.shape[1] - shift]), unit(values[:, shift:])
        alike = np.abs(early @ late.T)
        better = alike > best + 1e-9
        best[better], lag[better] = alike[better], shift
        turned = better.T & (best + 1e-9 < alike.T)
        best[turned], lag[turned] = alike.T[turned], -shift
    later = best < best.T
    best[later], lag[later] = best.T[later], -lag.T[later]
    np.fill_diagonal(best, 1.0)
    return best, lag


def unit(values: Floats) -> Floats:
    """Rows with mean 0 and length 1; what does not move stays 0."""
    away = values - values.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(away, axis=1, keepdims=True)
    scaled: Floats = away / np.where(norms > 1e-12, norms, np.inf)
    return scaled


def linked(likeness: Floats, alike: float) -> list[list[int]]:
    """Members of each group: the likest two are joined until no two groups are alike enough."""
    members = [[place] for place in range(len(likeness))]
    between = likeness.copy()
    np.fill_diagonal(between, -1.0)
    while len(members) > 1:
        place = int(np.argmax(between))
        first, second = sorted(divmod(place, len(members)))
        if between[first, second] < alike:
            break
        sizes = len(members[first]), len(members[second])
        mixed = (between[first] * sizes[0] + between[second] * sizes[1]) / sum(sizes)
        between[first], between[:, first] = mixed, mixed
        between[first, first] = -1.0
        between = np.delete(np.delete(between, second, axis=0), second, axis=1)
        members[first] += members.pop(second)
    return members


def told(frame: Frame, rows: list[int], members: list[int], likeness: Floats, lags: Ints) -> Group:
    """A group with its members in the order in which they moved, by their mean lag to the others."""
    inner = np.ix_(members, members)
    ahead = lags[inner].mean(axis=1)
    order = np.argsort(-ahead, kind="stable")
    pairs = likeness[inner][np.triu_indices(len(members), 1)]
    return Group(
        keys=tuple(frame.keys[rows[members[place]]] for place in order),
        lags=tuple(round(float(ahead[order[0]] - ahead[place])) * frame.step for place in order),
        cohesion=float(pairs.mean()) if pairs.size else 1.0,
    )
