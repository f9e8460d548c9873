"""What the quality stage keeps, repairs and puts aside, and what the score of a series says of it."""

import time
from typing import Any

import numpy as np
import pytest

from metrics.quality import silence, units
from metrics.storage import flaws, reading
from tenants.context import tenant_context
from tenants.models import Tenant
from tests.factories import make_tenant
from tests.metrics.house import only_series, points, send

pytestmark = pytest.mark.django_db
BEGIN = int(time.time()) - 100_000


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def regular(count: int, value: Any = None, begin: float = BEGIN, step: float = 60.0) -> list[tuple[float, float]]:
    """Samples at a steady pace around 100."""
    chosen = value or (lambda place: 100.0 + (place * 7919 % 13))
    return [(begin + step * place, chosen(place)) for place in range(count)]


def stored(tenant: Tenant) -> list[tuple[float, float]]:
    series = only_series(tenant)
    with tenant_context(tenant.pk):
        at, values = reading.samples(tenant.pk, [series.number], BEGIN - 1e6, BEGIN + 1e6)[series.number]
    return list(zip(at.tolist(), values.tolist(), strict=True))


def noted(tenant: Tenant) -> list[tuple[str, str, int]]:
    series = only_series(tenant)
    with tenant_context(tenant.pk):
        return [(flaw.action, flaw.reason, flaw.samples) for flaw in flaws.recent(tenant.pk, series.number, 10)]


def test_good_samples_are_kept_and_their_series_is_flawless(tenant: Tenant) -> None:
    report = send(tenant, points(regular(200)))
    assert (report.stored, dict(report.reasons)) == (200, {})
    series = only_series(tenant)
    assert series.quality == 1.0
    assert series.interval == pytest.approx(60.0, rel=0.01)
    assert (series.first_at.timestamp(), series.last_at.timestamp()) == (BEGIN, BEGIN + 199 * 60)
    assert series.last_value == stored(tenant)[-1][1]


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        ((BEGIN + 60, float("nan")), "not_a_number"),
        ((BEGIN + 60, float("inf")), "not_a_number"),
        ((BEGIN + 60, 1e200), "impossible_value"),
        ((BEGIN - 86_400 * 60, 1.0), "too_old"),
        ((BEGIN + 86_400 * 60, 1.0), "in_the_future"),
        ((float("nan"), 1.0), "too_old"),
        ((BEGIN, 2.0), "conflict"),
    ],
)
def test_what_cannot_be_used_is_put_aside_with_its_reason(
    tenant: Tenant, sample: tuple[float, float], reason: str
) -> None:
    report = send(tenant, points([(BEGIN, 1.0), sample]))
    assert (report.stored, report.reasons[reason]) == (1, 1)
    assert noted(tenant) == [("quarantined", reason, 1)]
    assert stored(tenant) == [(BEGIN, 1.0)]
    assert only_series(tenant).quality < 1.0


def test_a_counter_below_zero_is_impossible(tenant: Tenant) -> None:
    send(tenant, points([(BEGIN, 5.0), (BEGIN + 60, -1.0)], kind="counter"))
    assert noted(tenant) == [("quarantined", "impossible_value", 1)]


def test_a_time_in_milliseconds_is_mended(tenant: Tenant) -> None:
    send(tenant, points([(BEGIN, 1.0), ((BEGIN + 60) * 1000.0, 2.0)]))
    assert stored(tenant) == [(BEGIN, 1.0), (BEGIN + 60, 2.0)]
    assert noted(tenant) == [("repaired", "millisecond_time", 1)]


def test_another_unit_is_converted_and_what_cannot_be_is_put_aside(tenant: Tenant) -> None:
    send(tenant, points([(BEGIN, 1.5)], unit="s"))
    send(tenant, points([(BEGIN + 60, 2_500.0)], unit="ms"))
    send(tenant, points([(BEGIN + 120, 7.0)], unit="bytes"))
    assert stored(tenant) == [(BEGIN, 1.5), (BEGIN + 60, 2.5)]
    assert sorted(noted(tenant)) == [("quarantined", "other_unit", 1), ("repaired", "unit_converted", 1)]


def test_a_rounding_error_beyond_a_bound_is_mended(tenant: Tenant) -> None:
    send(tenant, points([(BEGIN, 1.0 + 1e-9), (BEGIN + 60, 1.5)], unit="probability"))
    assert stored(tenant) == [(BEGIN, 1.0)]
    assert sorted(noted(tenant)) == [("quarantined", "impossible_value", 1), ("repaired", "rounded_to_bound", 1)]


def test_samples_sent_again_are_dropped_and_cost_nothing(tenant: Tenant) -> None:
    for _time in range(3):
        report = send(tenant, points(regular(50)))
    assert (report.stored, report.reasons["duplicate"]) == (0, 50)
    assert len(stored(tenant)) == 50
    assert (noted(tenant), only_series(tenant).quality) == ([], 1.0)


def test_of_two_values_at_one_time_the_first_stays_also_across_batches(tenant: Tenant) -> None:
    send(tenant, points([(BEGIN, 1.0), (BEGIN, 2.0), (BEGIN, 1.0)]))
    report = send(tenant, points([(BEGIN, 3.0)]))
    assert stored(tenant) == [(BEGIN, 1.0)]
    assert report.reasons == {"conflict": 1}


def test_samples_out_of_order_are_kept_in_their_place(tenant: Tenant) -> None:
    send(tenant, points([(BEGIN + 120, 3.0)]))
    report = send(tenant, points([(BEGIN, 1.0), (BEGIN + 60, 2.0)]))
    assert report.reasons == {"out_of_order": 2}
    assert stored(tenant) == [(BEGIN, 1.0), (BEGIN + 60, 2.0), (BEGIN + 120, 3.0)]
    series = only_series(tenant)
    assert (series.first_at.timestamp(), series.last_value) == (BEGIN, 3.0)


def test_a_gap_is_noticed_and_forgotten_in_time(tenant: Tenant) -> None:
    send(tenant, points(regular(100)))
    after = regular(1, begin=BEGIN + 100 * 60 + 20 * 60)
    report = send(tenant, points(after))
    assert report.reasons["gap"] == 20
    worst = only_series(tenant).quality
    assert worst < 0.8
    send(tenant, points(regular(300, begin=after[0][0] + 60)))
    assert only_series(tenant).quality > 0.98


def test_a_restarted_counter_is_noticed_and_a_falling_gauge_is_not(tenant: Tenant) -> None:
    def saw(place: int) -> float:
        return float(place % 30)

    assert send(tenant, points(regular(90, saw), kind="counter")).reasons == {"counter_reset": 2}
    assert "counter_reset" not in send(make_tenant(), points(regular(90, saw))).reasons


def test_a_value_that_stopped_changing_is_noticed_and_one_that_never_did_is_not(tenant: Tenant) -> None:
    send(tenant, points(regular(100)))
    stuck = send(tenant, points(regular(50, lambda _place: 104.5, BEGIN + 6_000)))
    assert stuck.reasons["stuck"] >= 30
    assert only_series(tenant).quality < 0.7
    for value in (7.0, 0.0):
        other = make_tenant()
        send(other, points(regular(100, lambda _place, value=value: value)))
        assert "stuck" not in send(other, points(regular(50, lambda _p, value=value: value, BEGIN + 6_000))).reasons
        assert only_series(other).quality == 1.0


def test_a_run_is_counted_across_batches_of_one_sample(tenant: Tenant) -> None:
    send(tenant, points(regular(100)))
    reports = [send(tenant, points([(BEGIN + 6_000 + 60 * place, 104.5)])) for place in range(30)]
    assert [report.reasons["stuck"] for report in reports[:8]] == [0] * 8
    assert all(report.reasons["stuck"] for report in reports[20:])


def test_a_change_of_scale_is_noticed_once(tenant: Tenant) -> None:
    send(tenant, points(regular(100)))
    reports = [
        send(tenant, points(regular(3, lambda place: 1000 * (100.0 + place), BEGIN + 6_000 + 180 * number)))
        for number in range(10)
    ]
    assert sum(report.reasons["scale_change"] for report in reports) == 1
    assert only_series(tenant).quality < 0.9
    twofold = make_tenant()
    send(twofold, points(regular(100)))
    report = send(twofold, points(regular(30, lambda place: 2 * (100.0 + place % 7), BEGIN + 6_000)))
    assert "scale_change" not in report.reasons


def test_a_clock_a_little_ahead_is_believed_with_a_note(tenant: Tenant) -> None:
    report = send(tenant, points([(time.time() + 300, 1.0)]))
    assert (report.stored, report.reasons) == (1, {"clock_ahead": 1})
    assert only_series(tenant).quality < 1.0


def test_silence_is_measured_in_a_series_own_intervals() -> None:
    assert silence.patience(np.array([0.0, 1.0, 60.0, 3600.0])).tolist() == [np.inf, 60.0, 300.0, 18_000.0]


def test_units_convert_only_where_they_measure_the_same() -> None:
    assert units.factor("ms", "s") == pytest.approx(0.001)
    assert units.factor("GiB", "bytes") == 1024.0**3
    assert units.factor("", "s") == 1.0
    assert units.factor("s", "") is None
    assert units.factor("s", "bytes") is None
