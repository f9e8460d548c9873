"""What a source brings becomes series; what cannot is counted and told."""

import math

import pytest

from metrics.collecting import tidying
from metrics.collecting.tidying import tidy
from metrics.collectors.base import Point


def test_values_of_one_series_come_together_and_own_labels_win() -> None:
    points = [Point("depth", {"site": "us"}, 1.0, 5.0), Point("depth", {}, 2.0)]
    (series,) = tidy(points, {"site": "eu"}, now=9.0).series
    assert (dict(series.labels), series.at.tolist(), series.values.tolist()) == ({"site": "eu"}, [5.0, 9.0], [1.0, 2.0])


def test_what_is_no_number_or_no_name_is_told() -> None:
    tidied = tidy([Point("depth", {}, math.nan), Point("?column?", {}, 1.0)], {}, now=9.0)
    assert (tidied.points, tidied.note()) == (
        0,
        "2 values could not be used: no numbers, or names that are none.",
    )


def test_more_series_than_a_source_may_have_are_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "MAX_SERIES", 2)
    tidied = tidy([Point("depth", {"n": str(n)}, 1.0) for n in range(5)], {}, now=9.0)
    assert (len(tidied.series), tidied.surplus) == (2, 3)
    assert tidied.note() == "Only the first 2 series were taken; a source has at most so many."
