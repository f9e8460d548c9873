"""Maintenance windows: wall-clock recurrences, changes of clocks, and bounded cost."""

from datetime import UTC, datetime, timedelta
from time import process_time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.matchers import Matcher, parse
from alerting.muting.maintenance import MaintenanceWindow, MaintenanceWindows, WindowError
from alerting.muting.recurrence import Recurrence

HOUR = timedelta(hours=1)
PARIS = ZoneInfo("Europe/Paris")


def window(rrule: str = "", start: str = "2026-03-02T22:00", hours: float = 2, **more) -> MaintenanceWindow:
    more = {"id": UUID(int=1), "name": "w", "time_zone": "Europe/Paris"} | more
    return MaintenanceWindow(
        starts_at=datetime.fromisoformat(start), duration=timedelta(hours=hours), rrule=rrule, **more
    )


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


def test_a_single_window_opens_at_its_start_and_is_closed_at_its_end():
    one = window()
    assert one.active_at(paris("2026-03-02T21:59:59")) is None
    assert one.active_at(paris("2026-03-02T22:00")).ends_at == paris("2026-03-03T00:00")
    assert one.active_at(paris("2026-03-02T23:59:59")) is not None
    assert one.active_at(paris("2026-03-03T00:00")) is None
    assert one.next_occurrences(paris("2026-03-04T00:00")) == []


def test_a_daily_window_keeps_its_wall_clock_time_over_the_change_of_clocks():
    one = window("FREQ=DAILY")
    starts = [o.starts_at for o in one.next_occurrences(paris("2026-03-27T23:00"), 3)]
    assert starts == [paris("2026-03-28T22:00"), paris("2026-03-29T22:00"), paris("2026-03-30T22:00")]
    assert starts[0].hour == 21
    assert starts[1].hour == 20


def test_a_time_the_clock_skips_or_repeats_happens_once():
    skipped = window("FREQ=DAILY", "2026-03-20T02:30", 1)
    assert skipped.next_occurrences(paris("2026-03-28T12:00"), 1)[0].starts_at == paris("2026-03-29T03:30")
    repeated = window("FREQ=DAILY", "2026-10-20T02:30", 1)
    starts = [o.starts_at for o in repeated.next_occurrences(paris("2026-10-24T12:00"), 2)]
    assert starts == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


def test_a_night_over_the_change_lasts_the_same_elapsed_time():
    night = window("FREQ=WEEKLY;BYDAY=SA", "2026-03-07T22:00", 8)
    occurrence = night.active_at(paris("2026-03-29T06:30"))
    assert occurrence.ends_at == paris("2026-03-29T07:00")


@pytest.mark.parametrize(
    ("rule", "when", "is_open"),
    [
        ("FREQ=WEEKLY;BYDAY=SA,SU", "2026-05-02T22:59", True),
        ("FREQ=WEEKLY;BYDAY=SA,SU", "2026-05-04T22:59", False),
        ("RRULE:FREQ=MONTHLY;BYDAY=1MO", "2026-04-06T22:30", True),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-04-30T22:30", True),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-03-09T22:30", False),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2036-03-03T22:30", True),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2036-03-10T22:30", False),
        ("FREQ=DAILY;COUNT=3", "2026-03-04T22:30", True),
        ("FREQ=DAILY;COUNT=3", "2026-03-05T22:30", False),
        ("FREQ=DAILY;UNTIL=20260305", "2026-03-05T22:30", True),
        ("FREQ=DAILY;UNTIL=20260305T200000Z", "2026-03-05T22:30", False),
        ("FREQ=HOURLY;INTERVAL=6", "2026-07-01T22:30", True),
        ("FREQ=YEARLY", "2030-03-02T22:30", True),
        ("FREQ=YEARLY", "2030-04-02T22:30", False),
        ("FREQ=YEARLY;INTERVAL=3;BYMONTH=5", "2032-05-02T22:30", True),
        ("FREQ=YEARLY;INTERVAL=3;BYMONTH=5", "2033-05-02T22:30", False),
        ("FREQ=MONTHLY;INTERVAL=2", "2030-05-02T22:30", True),
        ("FREQ=MONTHLY;INTERVAL=2", "2030-04-02T22:30", False),
    ],
)
def test_rules_people_write(rule, when, is_open):
    assert (window(rule, hours=1).active_at(paris(when)) is not None) is is_open


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"rrule": "FREQ=SECONDLY"}, "rrule"),
        ({"rrule": "FREQ=MINUTELY"}, "rrule"),
        ({"rrule": "BYDAY=MO"}, "rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=100000"}, "rrule"),
        ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=2;UNTIL=20270101"}, "rrule"),
        ({"rrule": "FREQ=DAILY;BYSECOND=1"}, "rrule"),
        ({"rrule": "FREQ=DAILY;FREQ=DAILY"}, "rrule"),
        ({"rrule": "FREQ=DAILY\nDTSTART:19700101"}, "rrule"),
        ({"rrule": "FREQ=DAILY;BYDAY=XX"}, "rrule"),
        ({"rrule": "FREQ=DAILY;BYMONTH=13"}, "rrule"),
        ({"rrule": "FREQ=DAILY;UNTIL=20269999"}, "rrule"),
        ({"rrule": "FREQ=DAILY;UNTIL=20200101"}, "rrule"),
        ({"rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "rrule"),
        ({"rrule": "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"}, "rrule"),
        ({"rrule": "FREQ=DAILY;BYMONTHDAY=" + ",".join(["1"] * 65)}, "rrule"),
        ({"rrule": "FREQ=DAILY;" + "X" * 600}, "rrule"),
        ({"rrule": "FREQ=DAILY;BYSETPOS=2"}, "rrule"),
        ({"rrule": "FREQ=MONTHLY;BYSETPOS=40;BYDAY=MO"}, "rrule"),
        ({"rrule": "FREQ=HOURLY;BYMINUTE=0,1,2,3,4"}, "rrule"),
        ({"start": "0001-01-01T00:00"}, "starts_at"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"hours": 0}, "duration"),
        ({"hours": 24 * 32}, "duration"),
        ({"start": "2026-03-02T22:00+00:00"}, "starts_at"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_field_and_quickly(more, field):
    began = process_time()
    with pytest.raises(WindowError) as refused:
        window(**more).check()
    assert refused.value.field == field
    assert process_time() - began < 2


@pytest.mark.parametrize(
    ("rrule", "hours"),
    [
        ("FREQ=DAILY", 24),
        ("FREQ=DAILY", 30),
        ("FREQ=HOURLY", 1),
        ("FREQ=DAILY;BYHOUR=0,12", 12),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", 24),
        ("FREQ=MONTHLY;BYMONTHDAY=1", 24 * 31),
    ],
)
def test_a_window_that_would_never_close_is_refused(rrule, hours):
    with pytest.raises(WindowError, match="never close") as refused:
        window(rrule, hours=hours).check_closes()
    assert refused.value.field == "duration"
    # One that is stored is still read: what was taken once goes on.
    window(rrule, hours=hours).check()
    assert window(rrule, hours=hours).active_at(paris("2026-06-02T12:00")) is not None


@pytest.mark.parametrize(
    ("rrule", "hours"),
    [
        ("", 24 * 31),
        ("FREQ=DAILY", 23.9),
        ("FREQ=DAILY;COUNT=7", 24),
        ("FREQ=DAILY;UNTIL=20260401", 24),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", 24),
        ("FREQ=HOURLY;BYDAY=MO,TU,WE,TH,FR", 1),
        ("FREQ=MONTHLY;BYMONTHDAY=1", 24 * 30),
        ("FREQ=DAILY;BYMONTH=3,4,5,6,7,8,9,10,11,12,1", 24),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", 24),
    ],
)
def test_a_window_that_closes_at_some_time_is_taken(rrule, hours):
    window(rrule, hours=hours).check_closes()


def test_an_old_hourly_rule_costs_no_more_than_a_new_one():
    old = window("FREQ=HOURLY;BYMINUTE=0,15,30,45", "1980-01-01T00:00", 0.05, time_zone="UTC")
    began = process_time()
    assert old.active_at(datetime(2026, 3, 2, 22, 17, tzinfo=UTC)) is not None
    assert old.active_at(datetime(2026, 3, 2, 22, 19, tzinfo=UTC)) is None
    assert process_time() - began < 1


def test_windows_mute_what_matches_while_they_are_open():
    nightly = window("FREQ=DAILY", matchers=parse("team=a"))
    weekly = window("FREQ=WEEKLY;BYDAY=MO", hours=5, id=UUID(int=2), name="long", matchers=parse("env!=prod"))
    windows = MaintenanceWindows([nightly, weekly])
    monday, noon = paris("2026-03-09T23:00"), paris("2026-03-10T12:00")
    labels = {"team": "a", "env": "stage"}
    assert [(one.name, one.until) for one in windows.muting(labels, monday)] == [
        ("long", paris("2026-03-10T03:00")),
        ("w", paris("2026-03-10T00:00")),
    ]
    assert windows.muting({"team": "b", "env": "prod"}, monday) == []
    assert windows.muting(labels, noon) == []
    assert [(miss.name, miss.state) for miss in windows.near_misses(labels, noon)] == [
        ("w", "closed"),
        ("long", "closed"),
    ]
    [miss] = windows.near_misses({"team": "a", "env": "prod"}, monday)
    assert miss.failed == Matcher("env", "!=", "prod")
    assert [one.name for one in windows.muting(labels, monday)] == ["long", "w"]


def test_what_is_open_or_opens_soon_is_foretold_to_those_it_concerns():
    nightly = window("FREQ=DAILY", matchers=parse("team=a"))
    later = window("", "2026-03-13T10:00", id=UUID(int=2), name="later", matchers=parse("team=a"))
    windows = MaintenanceWindows([nightly, later])
    now = paris("2026-03-10T23:00")
    found = windows.coming([{"team": "b"}, {"team": "a"}], now)
    assert [(row.name, one.starts_at) for row, one in found] == [
        ("w", paris("2026-03-10T22:00")),
        ("w", paris("2026-03-11T22:00")),
        ("w", paris("2026-03-12T22:00")),
    ]
    assert windows.coming([{"team": "b"}], now) == []
    # A day on, by what was worked out then, what is two days away is known all the same.
    names = [row.name for row, _one in windows.coming([{"team": "a"}], now + timedelta(hours=23))]
    assert names.count("later") == 1
    assert MaintenanceWindows([]).coming([{"team": "a"}], now) == []


RULES = [
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
    "FREQ=MONTHLY;INTERVAL=5;BYDAY=-1FR",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE;BYSETPOS=-1;BYHOUR=1,13",
    "FREQ=YEARLY;INTERVAL=2;BYDAY=MO;BYMONTH=1,12",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=HOURLY;INTERVAL=7;BYDAY=SA",
]


@given(
    st.sampled_from(RULES),
    st.datetimes(datetime(2015, 1, 1), datetime(2024, 12, 31)),
    st.datetimes(datetime(2015, 1, 1), datetime(2027, 12, 31)),
    st.integers(1, 200),
)
@settings(max_examples=80, deadline=None)
def test_starting_the_count_later_changes_nothing(rule, start, when, days):
    start = start.replace(microsecond=0)
    first, last = when.replace(tzinfo=UTC), when.replace(tzinfo=UTC) + timedelta(days=days)
    naive = rrulestr(rule, dtstart=start).between(first.replace(tzinfo=None), last.replace(tzinfo=None), inc=True)
    assert Recurrence(start, ZoneInfo("UTC"), rule).between(first, last) == [one.replace(tzinfo=UTC) for one in naive]


@given(
    st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
    st.integers(0, 23),
    st.integers(1, 30),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
)
@settings(max_examples=60, deadline=None)
def test_a_daily_window_equals_looking_at_the_days_around(name, hour, hours, when):
    now = when.replace(tzinfo=UTC)
    daily = window("FREQ=DAILY", f"2025-06-01T{hour:02}:00", hours, time_zone=name)
    local = now.astimezone(ZoneInfo(name)).date()
    starts = [
        datetime.combine(local + timedelta(days=day), datetime.min.time().replace(hour=hour), ZoneInfo(name))
        for day in range(-3, 3)
    ]
    expected = any(start.astimezone(UTC) <= now < start.astimezone(UTC) + hours * HOUR for start in starts)
    assert (daily.active_at(now) is not None) is expected
