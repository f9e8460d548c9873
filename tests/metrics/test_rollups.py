"""Rollups say what a look at all samples says, whatever came when, how often and in which order."""

import math
import time
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.storage import reading, rollups, sketch
from tenants.context import tenant_context
from tenants.models import Tenant
from tests.factories import make_tenant
from tests.metrics.house import points, send

pytestmark = pytest.mark.django_db
#: Midnight three days ago, so that hours, days and the change of a day lie in the past.
BEGIN = (int(time.time()) // 86_400 - 3) * 86_400
WIDTHS = {"1m": 60, "1h": 3600, "1d": 86_400}

moments = st.integers(0, 30 * 60).map(lambda minutes: BEGIN + minutes * 60) | st.integers(0, 7_200).map(
    lambda seconds: BEGIN + seconds / 4
)
numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3)) | st.just(0.0)
sample = st.tuples(st.integers(0, 2), moments, numbers)
batches = st.lists(st.tuples(st.lists(sample, max_size=40), st.booleans()), min_size=1, max_size=6)


def brute_force(first: dict[tuple[int, float], float], width: int) -> dict[tuple[int, float], list[float]]:
    found: dict[tuple[int, float], list[float]] = defaultdict(list)
    for (series, at), value in first.items():
        found[series, at // width * width].append(value)
    return found


def check(tenant: Tenant, truth: dict[tuple[int, float], float], names: dict[int, int]) -> None:
    for level, width in WIDTHS.items():
        with tenant_context(tenant.pk):
            read = reading.rollup(tenant.pk, list(names), level, BEGIN - 86_400, BEGIN + 3 * 86_400)
            quantiles = reading.quantile(tenant.pk, list(names), 0.5, BEGIN, BEGIN + 2 * 86_400)
        expected = brute_force(truth, width)
        got = {
            (names[number], at): (count, total, low, high, squares)
            for number, arrays in read.items()
            for at, count, total, low, high, squares in zip(
                arrays.at, arrays.count, arrays.sum, arrays.min, arrays.max, arrays.sumsq, strict=True
            )
        }
        assert got.keys() == expected.keys()
        for key, values in expected.items():
            count, total, low, high, squares = got[key]
            assert (count, low, high) == (len(values), min(values), max(values))
            assert total == pytest.approx(math.fsum(values), rel=1e-9, abs=1e-6)
            assert squares == pytest.approx(math.fsum(value * value for value in values), rel=1e-9, abs=1e-6)
        for number, median in quantiles.items():
            ordered = sorted(value for (series, _at), value in truth.items() if series == names[number])
            true = ordered[int(0.5 * (len(ordered) - 1))]
            assert median == pytest.approx(true, rel=1.01 * sketch.ACCURACY, abs=1e-9)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=batches)
def test_rollups_equal_brute_force(batches: list[tuple[list[tuple[int, float, float]], bool]]) -> None:
    """Batches come late, in any order and twice over, and hours are rolled up in between."""
    tenant = make_tenant()
    truth: dict[tuple[int, float], float] = {}
    for batch, is_rolled in batches:
        kinds = [points([(at, value)], name=str(series)) for series, at, value in batch]
        for series, at, value in batch:
            truth.setdefault((series, at), value)
        send(tenant, *kinds)
        send(tenant, *reversed(kinds))
        if is_rolled:
            rollups.roll(tenant.pk)
            assert rollups.roll(tenant.pk) == 0
    check(tenant, truth, names_of(tenant))
    rollups.roll(tenant.pk)
    check(tenant, truth, names_of(tenant))


def names_of(tenant: Tenant) -> dict[int, int]:
    from metrics.models import Series

    with tenant_context(tenant.pk):
        return {series.number: int(series.labels["name"]) for series in Series.objects.all()}


def test_a_late_sample_changes_what_was_rolled_up() -> None:
    tenant = make_tenant()
    send(tenant, points([(BEGIN + 15 * number, float(number)) for number in range(600)]))
    assert rollups.roll(tenant.pk) == 2
    send(tenant, points([(BEGIN + 61, 1000.0)]))
    (number,) = series_numbers(tenant)
    with tenant_context(tenant.pk):
        before = reading.rollup(tenant.pk, [number], "1h", BEGIN, BEGIN + 3600)[number]
    assert rollups.roll(tenant.pk) == 1
    with tenant_context(tenant.pk):
        after = reading.rollup(tenant.pk, [number], "1h", BEGIN, BEGIN + 3600)[number]
        day = reading.rollup(tenant.pk, [number], "1d", BEGIN, BEGIN + 86_400)[number]
    assert before.max.tolist() == after.max.tolist() == [1000.0]
    assert after.count.tolist() == [241]
    assert day.count.tolist() == [601]


def series_numbers(tenant: Tenant) -> list[int]:
    from metrics.models import Series

    with tenant_context(tenant.pk):
        return list(Series.objects.values_list("number", flat=True))


def test_the_last_hour_of_a_silent_series_is_closed() -> None:
    tenant = make_tenant()
    send(tenant, points([(BEGIN + 5, 1.0), (BEGIN + 20, 3.0)]))
    assert rollups.roll(tenant.pk) == 0
    assert rollups.close_idle(tenant.pk) == 1
    assert rollups.roll(tenant.pk) == 1
    (number,) = series_numbers(tenant)
    with tenant_context(tenant.pk):
        assert reading.rollup(tenant.pk, [number], "1d", BEGIN, BEGIN + 86_400)[number].sum.tolist() == [4.0]


def test_steps_are_made_of_the_level_that_fits() -> None:
    tenant = make_tenant()
    send(tenant, points([(BEGIN + 10 * number, float(number % 7)) for number in range(2_000)]))
    rollups.roll(tenant.pk)
    (number,) = series_numbers(tenant)
    with tenant_context(tenant.pk):
        for step in (5, 30, 60, 300, 3600, 7200, 86_400):
            found = reading.stepped(tenant.pk, [number], step, BEGIN, BEGIN + 20_000)
            assert found.count.sum() == 2_000
            assert (found.at % (step * 1000) == 0).all()


@given(st.lists(st.floats(-1e150, 1e150, allow_nan=False, allow_subnormal=True), min_size=1, max_size=300))
def test_a_quantile_is_within_one_per_cent(values: list[float]) -> None:
    array = np.array(values)
    for share in (0.0, 0.25, 0.5, 0.95, 1.0):
        true = sorted(values)[int(share * (len(values) - 1))]
        bins = sketch.gather(np.zeros(len(array), dtype=np.int64), sketch.bins_of(array), np.ones(len(array)))
        assert sketch.quantile(bins[1], bins[2], share) == pytest.approx(true, rel=1.001 * sketch.ACCURACY, abs=1e-300)


def test_a_sketch_never_grows_beyond_its_bound() -> None:
    values = np.exp(np.linspace(-300, 300, 50_000))
    _bucket, bins, weights = sketch.gather(np.zeros(50_000, dtype=np.int64), sketch.bins_of(values), np.ones(50_000))
    assert len(bins) == sketch.MOST_BINS
    assert weights.sum() == 50_000
    assert sketch.quantile(bins, weights, 0.99) == pytest.approx(np.quantile(values, 0.99), rel=0.02)
