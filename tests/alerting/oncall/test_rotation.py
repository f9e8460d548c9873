"""Rotations and hand-overs, above all when the clocks change."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.oncall.rotation import Layer, Restriction, Unit, shifts
from alerting.oncall.wallclock import instant, wall

ANN, BOB, CID = (UUID(int=number) for number in (1, 2, 3))
NAMES = {ANN: "ann", BOB: "bob", CID: "cid"}


def layer(start: str, unit: str = "weekly", *people: UUID, **more: object) -> Layer:
    starts_at = datetime.fromisoformat(start)
    fields = {"people": people or (ANN, BOB, CID), "unit": Unit(unit), "starts_at": starts_at, **more}
    return Layer(id=UUID(int=9), name="first", **fields)  # type: ignore[arg-type]


def told(one: Layer, zone: str, start: str, end: str) -> list[str]:
    """The shifts as `name from-to` on the wall clock, with the offset where it matters."""
    in_zone = ZoneInfo(zone)
    span = [datetime.fromisoformat(text).replace(tzinfo=in_zone).astimezone(UTC) for text in (start, end)]
    return [
        f"{NAMES[shift.person]} {shift.starts_at.astimezone(in_zone):%m-%d %H:%M%z}"
        f" {(shift.ends_at - shift.starts_at) / timedelta(hours=1):g}h"
        for shift in shifts(one, in_zone, *span)
    ]


def test_a_week_each_from_monday_morning() -> None:
    found = told(layer("2026-06-01T09:00"), "Europe/Paris", "2026-06-01T09:00", "2026-06-29T09:00")
    assert found == [
        "ann 06-01 09:00+0200 168h",
        "bob 06-08 09:00+0200 168h",
        "cid 06-15 09:00+0200 168h",
        "ann 06-22 09:00+0200 168h",
    ]


def test_two_days_each_and_a_part_of_a_shift() -> None:
    found = told(layer("2026-06-01T18:00", "daily", every=2), "Europe/Paris", "2026-06-02T00:00", "2026-06-05T12:00")
    assert found == ["ann 06-02 00:00+0200 42h", "bob 06-03 18:00+0200 42h"]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Paris", "2026-03-29", 23),
        ("Europe/Paris", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Sydney", "2026-10-04", 23),
        ("Australia/Sydney", "2026-04-05", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
    ],
)
def test_a_daily_hand_over_stays_on_the_wall_clock(zone: str, day: str, hours: float) -> None:
    in_zone = ZoneInfo(zone)
    first = datetime.fromisoformat(f"{day}T00:00")
    start, end = instant(first - timedelta(days=2), in_zone), instant(first + timedelta(days=3), in_zone)
    found = shifts(layer("2026-01-01T09:00", "daily"), in_zone, start, end)
    assert {wall(shift.starts_at, in_zone).time() for shift in found[1:]} == {time(9)}
    lengths = [(shift.ends_at - shift.starts_at) / timedelta(hours=1) for shift in found[1:-1]]
    assert sorted(lengths) == sorted([24, hours, 24, 24])


@pytest.mark.parametrize(
    ("zone", "skipped", "becomes"),
    [
        ("Europe/Paris", "2026-03-29T02:30", "2026-03-29T03:00+02:00"),
        ("America/New_York", "2026-03-08T02:15", "2026-03-08T03:00-04:00"),
        ("Australia/Sydney", "2026-10-04T02:59", "2026-10-04T03:00+11:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-04T02:30+11:00"),
        ("Europe/Paris", "2026-10-25T02:30", "2026-10-25T02:30+02:00"),
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-05T01:45+11:00"),
    ],
)
def test_a_skipped_time_is_the_jump_and_a_doubled_one_its_first(zone: str, skipped: str, becomes: str) -> None:
    assert instant(datetime.fromisoformat(skipped), ZoneInfo(zone)) == datetime.fromisoformat(becomes)


def test_hours_of_the_night_the_clocks_change() -> None:
    one = layer("2026-03-28T20:00", "hourly", every=6)
    found = told(one, "Europe/Paris", "2026-03-28T20:00", "2026-03-29T14:00")
    assert found == ["ann 03-28 20:00+0100 6h", "bob 03-29 03:00+0200 5h", "cid 03-29 08:00+0200 6h"]


def test_office_hours_and_the_nights_of_the_weekend() -> None:
    day = Restriction(time(9), time(17), frozenset(range(5)))
    night = Restriction(time(22), time(6), frozenset({4, 5}))
    one = layer("2026-06-01T00:00", "weekly", restrictions=(day, night))
    found = told(one, "Europe/Paris", "2026-06-05T00:00", "2026-06-09T00:00")
    assert found == [
        "ann 06-05 09:00+0200 8h",
        "ann 06-05 22:00+0200 8h",
        "ann 06-06 22:00+0200 8h",
        "bob 06-08 09:00+0200 8h",
    ]


def test_a_night_shift_is_short_when_the_clocks_jump() -> None:
    one = layer("2026-03-02T00:00", "weekly", restrictions=(Restriction(time(22), time(6)),))
    found = told(one, "Australia/Lord_Howe", "2026-10-03T12:00", "2026-10-04T12:00")
    assert found == ["ann 10-03 22:00+1030 7.5h"]


def test_nobody_before_the_start_after_the_end_or_without_people() -> None:
    ended = layer("2026-06-01T09:00", "daily", ends_at=datetime(2026, 6, 3, 9))
    assert told(ended, "UTC", "2026-05-01T00:00", "2026-07-01T00:00") == [
        "ann 06-01 09:00+0000 24h",
        "bob 06-02 09:00+0000 24h",
    ]
    empty = Layer(id=ANN, name="", people=(), unit=Unit.DAILY, starts_at=datetime(2026, 6, 1))
    assert told(empty, "UTC", "2026-05-01T00:00", "2026-07-01T00:00") == []


ZONES = ["Europe/Paris", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"]


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    unit=st.sampled_from(list(Unit)),
    every=st.integers(1, 30),
    start=st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 1)),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),
    days=st.integers(1, 20),
)
def test_turns_leave_no_hole_and_do_not_depend_on_the_span_asked_for(
    zone: str, unit: Unit, every: int, start: datetime, at: datetime, days: int
) -> None:
    in_zone, begin = ZoneInfo(zone), at.replace(tzinfo=UTC, microsecond=0)
    one = layer(start.replace(microsecond=0).isoformat(), unit, every=every)
    whole = shifts(one, in_zone, begin, begin + timedelta(days=days))
    first = instant(one.starts_at, in_zone)
    if first < begin:
        assert whole[0].starts_at == begin
        assert whole[-1].ends_at == begin + timedelta(days=days)
    assert all(left.ends_at == right.starts_at for left, right in pairwise(whole))
    middle = begin + timedelta(days=days) / 2
    cut = [part for shift in whole if (part := shift.within(middle, begin + timedelta(days=days)))]
    assert shifts(one, in_zone, middle, begin + timedelta(days=days)) == cut
