"""What is a series, what is made one, and what is refused."""

import numpy as np
import pytest

from metrics.seasons import BadSeries, cells_of, points_of, spacing_of


def test_disorder_repeats_and_holes_are_mended() -> None:
    points = points_of([30, 10, 20, 10, 40], [3.0, 1.0, np.nan, 1.5, np.inf])

    assert points.at.tolist() == [10, 30]
    assert points.values.tolist() == [1.5, 3.0], "of two values at one time the last given stays"


@pytest.mark.parametrize(("at", "values"), [([1, 2], [1.0]), ([[1], [2]], [[1.0], [2.0]]), ([1, np.nan], [1.0, 2.0])])
def test_what_is_no_series_is_refused(at: list[float], values: list[float]) -> None:
    with pytest.raises(BadSeries):
        points_of(at, values)


def test_too_few_usable_points_are_refused_with_both_numbers() -> None:
    with pytest.raises(BadSeries, match="1 usable points, at least 2"):
        points_of([1, 2], [1.0, np.nan], at_least=2)


def test_gaps_do_not_move_the_spacing() -> None:
    assert spacing_of(np.array([0.0, 60, 120, 9000, 9060])) == 60


def test_cells_hold_the_median_and_the_last_value() -> None:
    cells = cells_of(points_of([3600, 3660, 3720, 10800], [1.0, 9.0, 2.0, 5.0]), 3600)

    assert cells.start == 3600
    np.testing.assert_array_equal(cells.values, [2.0, np.nan, 5.0])
    np.testing.assert_array_equal(cells.last, [2.0, np.nan, 5.0])
    np.testing.assert_array_equal(cells.centres, [5400, 9000, 12600])


def test_a_span_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(BadSeries, match="cells"):
        cells_of(points_of([0, 1e12], [1.0, 2.0]), 1.0)
