"""What is attached to mails: calendar, charts and what other floors add, within caps, and never worth the mail."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from pytest_django.fixtures import Settings

from channels.languages import Voice
from channels.mail import charts
from channels.mail.attached import MAX_FILE, MAX_FILES, Attachment, attached
from channels.mail.calendar import planned_ics
from channels.message import AlertLine, Message, PlannedWork
from channels.templating.samples import NASTY
from tests.channels.sending import changed, send
from tests.fakes.http import FakeServer, Reply, Request
from tests.fakes.smtp import FakeSMTP

AT = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
WORK = PlannedWork(id="w1", name="New disks", starts_at=AT, ends_at=AT + timedelta(hours=2))
PICTURE = charts.PNG + b"\x00" * 400


def add_one(message: Message) -> list[Attachment]:
    return [Attachment(name="more.txt", mime="text/plain", content=b"more")]


def add_too_much(message: Message) -> list[Attachment]:
    return [Attachment(name="big.bin", mime="application/octet-stream", content=b"x" * (MAX_FILE + 1))]


def add_many(message: Message) -> list[Attachment]:
    return [Attachment(name=f"{number}.txt", mime="text/plain", content=b"x") for number in range(20)]


def fail(message: Message) -> list[Attachment]:
    raise RuntimeError("no chart today")


def names(settings: Settings, *paths: str) -> list[str]:
    settings.MESSAGE_ATTACHMENTS = [f"{__name__}.{path}" for path in paths]
    return [one.name for one in attached(changed(), Voice("en"))]


def test_maintenance_becomes_a_calendar_of_the_same_instants() -> None:
    nasty = PlannedWork(id="w2\r\nX:1", name=NASTY, starts_at=AT, ends_at=AT + timedelta(hours=1))
    message = changed(planned=[WORK, nasty], created_at=AT)
    calendar = Calendar.from_ical(planned_ics(message, Voice("fr")))
    first, second = calendar.walk("VEVENT")
    assert (first.decoded("dtstart"), first.decoded("dtend")) == (WORK.starts_at, WORK.ends_at)
    assert str(first["summary"]) == "Maintenance\u00a0: New disks"
    assert str(first["uid"]) == "w1-20260329T003000Z@maintenance"
    assert "\n" not in str(second["summary"])
    assert planned_ics(changed(), Voice("fr")) == b""


def test_other_floors_add_files(settings: Settings) -> None:
    assert names(settings, "add_one") == ["more.txt"]


@pytest.mark.parametrize("path", ["fail", "add_too_much", "no_such_function"])
def test_a_file_that_fails_is_left_out_and_the_next_is_not(settings: Settings, path: str) -> None:
    assert names(settings, path, "add_one")[-1] == "more.txt"
    assert "big.bin" not in names(settings, path)


def test_there_are_only_so_many(settings: Settings) -> None:
    assert len(names(settings, "add_many")) == MAX_FILES


@pytest.fixture
def smtp(settings: Settings) -> Iterator[FakeSMTP]:
    settings.EGRESS_ALLOW_LOOPBACK = True
    with FakeSMTP() as server:
        yield server


def mailed(smtp: FakeSMTP, message: Message, **options: Any) -> Any:
    settings = {"host": "127.0.0.1", "port": smtp.port, "security": "none"}
    settings |= {"to": ["oncall@example.com"], "from_address": "alerts@example.com"}
    send("email", settings, {}, message=message, **options)
    return smtp.arrived[-1]


def files(mail: Any) -> dict[str, Any]:
    return {part.get_filename(): part for part in mail.message.walk() if part.get_filename()}


def charted(*urls: str) -> Message:
    alerts = [
        AlertLine(fingerprint=str(n), status="firing", annotations={"chart_url": url, "summary": 'CPU "high" <now>'})
        for n, url in enumerate(urls)
    ]
    return changed(alerts=alerts, planned=[WORK], created_at=datetime.now(UTC))


class Charts:
    """Our own door for pictures of charts."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self.reply = Reply(200, PICTURE, {"Content-Type": "image/png"})

    def __call__(self, request: Request) -> Reply:
        self.heard.append(request)
        return self.reply


@pytest.fixture
def ours(settings: Settings) -> Iterator[Charts]:
    made = Charts()
    with FakeServer(made) as server:
        settings.PUBLIC_BASE_URL = server.url
        yield made


def test_a_chart_of_ours_is_shown_in_the_mail(smtp: FakeSMTP, ours: Charts, settings: Settings) -> None:
    mail = mailed(smtp, charted(f"{settings.PUBLIC_BASE_URL}/charts/1", "https://elsewhere.example/x.png"))
    found = files(mail)
    assert set(found) == {"chart-1.png", "maintenance.ics"}
    picture = found["chart-1.png"]
    assert picture.get_payload(decode=True) == PICTURE
    assert picture.get_content_disposition() == "inline"
    html = mail.body("html")
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html
    assert 'alt="CPU &quot;high&quot; &lt;now&gt;"' in html
    assert [request.path for request in ours.heard] == ["/charts/1"]


def test_all_readers_of_a_message_get_one_drawing(smtp: FakeSMTP, ours: Charts, settings: Settings) -> None:
    message = charted(f"{settings.PUBLIC_BASE_URL}/charts/2")
    mailed(smtp, message)
    mailed(smtp, message)
    assert len(ours.heard) == 1


@pytest.mark.parametrize("reply", [Reply(500, b"no"), Reply(200, b"<html>"), Reply(drop=True), Reply(302, PICTURE)])
def test_a_chart_that_cannot_be_had_costs_the_chart_alone(
    smtp: FakeSMTP, ours: Charts, settings: Settings, reply: Reply
) -> None:
    ours.reply = reply
    mail = mailed(smtp, charted(f"{settings.PUBLIC_BASE_URL}/charts/{id(reply)}"))
    assert set(files(mail)) == {"maintenance.ics"}
    assert "<img" not in mail.body("html")
    assert "Planned maintenance" in mail.body("plain")


def test_an_own_template_has_its_charts_as_files(smtp: FakeSMTP, ours: Charts, settings: Settings) -> None:
    message = charted(f"{settings.PUBLIC_BASE_URL}/charts/3")
    mail = mailed(smtp, message, sources={"html": "<p>{{ title }}</p>"})
    assert "chart-1.png" in files(mail)
    assert "<img" not in mail.body("html")
