"""Calendars of others: read with recurrences and zones, turned into overrides by difference."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from alerting.models import OnCallSchedule, ScheduleOverride, ScheduleState
from alerting.oncall import importing
from alerting.oncall.ical import CalendarError, read_calendar
from channels.egress.client import Answer
from tests.alerting.escalation.scenes import Call
from tests.alerting.scenes import at

PARIS = ZoneInfo("Europe/Paris")


def calendar(*events: str) -> bytes:
    whole = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test"]
    for number, event in enumerate(events):
        uid = [] if "UID:" in event else [f"UID:e{number}"]
        whole += ["BEGIN:VEVENT", *uid, *event.strip().split("\n"), "END:VEVENT"]
    return "\r\n".join([*whole, "END:VCALENDAR", ""]).encode()


def told(body: bytes, start: str = "2026-03-25", end: str = "2026-04-05") -> list[str]:
    span = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)]
    found = read_calendar(body, PARIS, *span)
    return [f"{one.starts_at:%m-%d %H:%M}-{one.ends_at:%m-%d %H:%M} {one.names[0]}" for one in found]


def test_times_with_a_zone_without_one_and_whole_days() -> None:
    body = calendar(
        "DTSTART:20260326T080000Z\nDTEND:20260326T100000Z\nSUMMARY:ann",
        "DTSTART;TZID=America/New_York:20260327T080000\nDURATION:PT2H\nSUMMARY:bob",
        "DTSTART:20260328T090000\nDTEND:20260328T100000\nATTENDEE;CN=Cid:mailto:Cid@example.org\nSUMMARY:x",
        "DTSTART;VALUE=DATE:20260329\nSUMMARY:all day",
    )
    assert told(body) == [
        "03-26 08:00-03-26 10:00 ann",
        "03-27 12:00-03-27 14:00 bob",
        "03-28 08:00-03-28 09:00 cid@example.org",
        "03-28 23:00-03-29 23:00 all day",
    ]


def test_recurrences_stay_on_the_wall_clock_with_exceptions_and_moved_ones() -> None:
    body = calendar(
        "UID:a\nDTSTART;TZID=Europe/Paris:20260302T090000\nDTEND;TZID=Europe/Paris:20260302T100000"
        "\nRRULE:FREQ=DAILY;UNTIL=20260331T070000Z\nEXDATE;TZID=Europe/Paris:20260327T090000\nSUMMARY:ann",
        "UID:a\nRECURRENCE-ID;TZID=Europe/Paris:20260328T090000\nDTSTART;TZID=Europe/Paris:20260328T200000"
        "\nDTEND;TZID=Europe/Paris:20260328T210000\nSUMMARY:bob",
        "UID:b\nDTSTART:20260326T080000Z\nDTEND:20260326T100000Z\nSTATUS:CANCELLED\nSUMMARY:gone",
    )
    assert told(body) == [
        "03-25 08:00-03-25 09:00 ann",
        "03-26 08:00-03-26 09:00 ann",
        "03-28 19:00-03-28 20:00 bob",
        "03-29 07:00-03-29 08:00 ann",
        "03-30 07:00-03-30 08:00 ann",
        "03-31 07:00-03-31 08:00 ann",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Not found</html>",
        b"\xff\xfe\x00",
        calendar("DTSTART:20260326T080000Z\nDTEND:20260326T080100Z\nRRULE:FREQ=SECONDLY\nSUMMARY:x"),
        calendar("DTSTART:yesterday\nSUMMARY:x"),
        calendar("SUMMARY:no start"),
    ],
)
def test_what_is_no_calendar_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(CalendarError):
        told(body)


@pytest.fixture
def call(db: None) -> Call:
    return Call()


def serve(monkeypatch: pytest.MonkeyPatch, body: bytes, status: int = 200) -> None:
    answer = Answer(status=status, headers={}, body=body)
    monkeypatch.setattr(importing, "request", lambda *_args, **_options: answer)


def overrides(call: Call) -> list[tuple[str, str]]:
    with call.context():
        found = ScheduleOverride.objects.order_by("starts_at").select_related("person")
        return [(one.person.first_name, one.comment) for one in found]


def event(hours: float, who: str) -> str:
    start, end = at(hours * 60), at(hours * 60 + 60)
    return f"UID:{who}{hours}\nDTSTART:{start:%Y%m%dT%H%M00Z}\nDTEND:{end:%Y%m%dT%H%M00Z}\nSUMMARY:{who}"


def test_events_become_overrides_by_difference(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = call.person("Ann"), call.person("Bob")
    schedule = call.schedule(ann)
    with call.context():
        OnCallSchedule.objects.update(import_url="https://example.org/a.ics")
        ScheduleOverride.objects.create(
            schedule=schedule, person=bob, starts_at=at(600), ends_at=at(660), comment="by hand"
        )
    serve(monkeypatch, calendar(event(1, bob.username), event(3, "Ann"), event(5, "Zoe")))
    assert importing.import_calendar(call.id, schedule.pk) == "1 event names no member: Zoe"
    assert overrides(call) == [("Bob", bob.username), ("Ann", "Ann"), ("Bob", "by hand")]
    with call.context():
        kept = ScheduleOverride.objects.get(comment="Ann").pk
    serve(monkeypatch, calendar(event(3, "Ann")))
    assert importing.import_calendar(call.id, schedule.pk) == ""
    assert overrides(call) == [("Ann", "Ann"), ("Bob", "by hand")]
    with call.context():
        assert ScheduleOverride.objects.get(comment="Ann").pk == kept


def test_a_calendar_that_is_away_changes_nothing_and_says_so(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = call.person("Ann")
    schedule = call.schedule(ann)
    with call.context():
        OnCallSchedule.objects.update(import_url="https://example.org/a.ics")
    serve(monkeypatch, calendar(event(3, "Ann")))
    assert importing.import_all() >= 1
    serve(monkeypatch, b"gone", 404)
    assert "404" in importing.import_calendar(call.id, schedule.pk)
    assert overrides(call) == [("Ann", "Ann")]
    with call.context():
        assert "404" in ScheduleState.objects.get(schedule=schedule).import_error
