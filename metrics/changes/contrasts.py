"""How well a change at each place of an interval explains it, for many intervals of one length at once.

Each contrast is the inner product of the values with a unit vector that stands for the change and is at right angles to
what needs no explanation (a constant, or a straight line). Baranowski, Chen & Fryzlewicz 2019.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from metrics.seasons.points import Floats, Ints


class Sums(NamedTuple):
    """Running sums of the values and of place times value, each float64[n + 1] from 0."""

    plain: Floats
    placed: Floats


Contrast = Callable[[Sums, Ints, int], Floats]


def sums_of(values: Floats) -> Sums:
    """The running sums that every contrast is told from."""
    places = np.arange(values.size, dtype=np.float64)
    return Sums(np.concatenate(([0.0], np.cumsum(values))), np.concatenate(([0.0], np.cumsum(places * values))))


def step(sums: Sums, starts: Ints, length: int) -> Floats:
    """A step against a constant: float64[intervals, length - 1], at each place the first of the new level less one."""
    cut = np.arange(1, length)
    begin = sums.plain[starts][:, None]
    left = sums.plain[starts[:, None] + cut] - begin
    total = sums.plain[starts + length][:, None] - begin
    contrast: Floats = np.sqrt(length / (cut * (length - cut))) * np.abs(left - cut / length * total)
    return contrast


def bend(sums: Sums, starts: Ints, length: int) -> Floats:
    """A bend against a straight line, same shape as `step`."""
    return _against_line(sums, starts, length, is_bend=True)


def step_on_line(sums: Sums, starts: Ints, length: int) -> Floats:
    """A step against a straight line, same shape as `step`."""
    return _against_line(sums, starts, length, is_bend=False)


def _against_line(sums: Sums, starts: Ints, length: int, *, is_bend: bool) -> Floats:
    places = np.arange(length, dtype=np.float64)
    middle = (length - 1) / 2
    square = float(((places - middle) ** 2).sum())
    cut = np.arange(1, length, dtype=np.float64)
    rest = length - cut  # points from the cut on: places cut .. length - 1
    if is_bend:
        weight_sum = rest * (rest - 1) / 2  # of 0, 1, 2, ...
        weight_square = (rest - 1) * rest * (2 * rest - 1) / 6
        weight_placed = weight_square + (cut - middle) * weight_sum
    else:
        weight_sum = weight_square = rest
        weight_placed = rest * ((cut + length - 1) / 2 - middle)
    norm = weight_square - weight_sum**2 / length - weight_placed**2 / square
    end = starts + length
    at_cut = starts[:, None] + np.arange(1, length)
    suffix = sums.plain[end][:, None] - sums.plain[at_cut]
    product = suffix
    if is_bend:
        product = sums.placed[end][:, None] - sums.placed[at_cut] - (starts[:, None] + cut) * suffix
    total = (sums.plain[end] - sums.plain[starts])[:, None]
    placed = (sums.placed[end] - sums.placed[starts])[:, None] - (starts[:, None] + middle) * total
    explained = product - total * weight_sum / length - placed * weight_placed / square
    able = norm > 1e-9 * weight_square
    contrast: Floats = np.where(able, np.abs(explained) / np.sqrt(np.where(able, norm, 1.0)), 0.0)
    return contrast
