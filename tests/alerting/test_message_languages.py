"""Digests, news of what people do, and calendar files: in the recipient's language, else the channel's or tenant's."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from icalendar import Calendar

from alerting import lifecycle
from alerting.models import NotificationLog
from channels.delivery import deliver_due
from channels.message import PlannedWork
from channels.models import Channel, ChannelIdentity, Delivery
from channels.templating.samples import sample_message
from tenants.isolation import new_id
from tenants.models import Tenant, User
from tests.alerting.scenes import Scene, alert
from tests.channels.deliveries import deliver_all_due, make_channel, put
from tests.factories import make_member
from tests.fakes.slack import FakeSlack
from tests.fakes.smtp import FakeSMTP

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MEMBER = "U0MARIA1"
#: What the reader chose, the channel's language, the tenant's; and which of them is spoken.
WISHES = [("it", "fr", "de", "it"), ("", "fr", "de", "fr"), ("", "", "de", "de")]
wishes = pytest.mark.parametrize(("reader", "channel", "tenant", "spoken"), WISHES)


@pytest.fixture
def workspace(slack: FakeSlack) -> FakeSlack:
    """A Slack that takes messages to its member, too."""
    slack.channels[MEMBER] = "maria"
    return slack


@pytest.fixture
def smtp(settings: Any) -> Iterator[FakeSMTP]:
    settings.EGRESS_ALLOW_LOOPBACK = True
    with FakeSMTP() as server:
        yield server


def scene_of(tenant: str) -> Scene:
    scene = Scene()
    Tenant.objects.filter(pk=scene.id).update(locale=tenant, time_zone="Europe/Vienna")
    scene.tenant.refresh_from_db()
    return scene


def slack_channel(scene: Scene, locale: str, reader: str, **options: Any) -> Channel:
    """A channel at Slack, and a member who is linked there and may have chosen a language."""
    credentials = json.dumps({"token": "xoxb-test"})
    channel = make_channel(
        scene.tenant, "slack", settings={"channel": "C0ALERTS"}, credentials=credentials, locale=locale, **options
    )
    user = make_member(scene.tenant, "responder")
    User.objects.filter(pk=user.pk).update(locale=reader)
    with scene.context():
        ChannelIdentity.objects.create(channel=channel, external_id=MEMBER, user=user)
    return channel


def shown(message: Any) -> str:
    return "\n".join(block["text"]["text"] for block in message.blocks if "text" in block)


@wishes
def test_a_digest_speaks_to_its_reader(
    workspace: FakeSlack, reader: str, channel: str, tenant: str, spoken: str
) -> None:
    scene = scene_of(tenant)
    made = slack_channel(scene, channel, reader, rate_per_minute=12)
    for number in range(30):
        group = new_id()
        message = msgspec.structs.replace(sample_message(), title=f"disk {number}", group_id=str(group), locale=tenant)
        put(made, recipient=MEMBER, source_id=group, message=message)
    deliver_due(scene.id)
    (digest,) = workspace.messages
    said = {"it": "30 messaggi in uno", "fr": "30 messages en un", "de": "30 Meldungen in einer"}[spoken]
    assert said in shown(digest)
    word = {"it": "attivo, critico", "fr": "en cours, critique", "de": "aktiv, kritisch"}[spoken]
    assert word in shown(digest)


@wishes
def test_news_of_a_silence_say_who_and_until_when(
    workspace: FakeSlack, reader: str, channel: str, tenant: str, spoken: str
) -> None:
    scene = scene_of(tenant)
    made = slack_channel(scene, channel, reader)
    scene.route(made)
    scene.run(alert(host="a"))
    with scene.context():
        # As a rule of their own tells a member: at their own address.
        Delivery.objects.update(recipient=MEMBER)
        NotificationLog.objects.update(recipient=MEMBER)
    deliver_all_due(scene.id)
    ends_at = datetime(2027, 1, 2, 13, 30, tzinfo=UTC)
    lifecycle.silence_group(scene.principal, scene.group().pk, ends_at, origin="Silenced in Slack")
    deliver_all_due(scene.id)
    news = workspace.messages[-1].blocks[0]["text"]["text"].replace("\u00a0", " ")
    who = scene.principal.label
    words = {
        "it": f"*{who}* l’ha silenziato (fine: 2 gen 2027, 14:30 CET)",
        "fr": f"*{who}* l’a mis en sourdine (fin : 2 janv. 2027, 14:30 CET)",
        "de": f"*{who}* hat es bis 02.01.2027, 14:30 CET stummgeschaltet",
    }
    assert news == words[spoken]


@wishes
def test_a_calendar_file_is_written_in_the_language_of_its_mail(
    smtp: FakeSMTP, reader: str, channel: str, tenant: str, spoken: str
) -> None:
    scene = scene_of(tenant)
    user = make_member(scene.tenant, "responder")
    User.objects.filter(pk=user.pk).update(locale=reader)
    settings = {"host": "127.0.0.1", "port": smtp.port, "security": "none", "to": [user.email]}
    settings |= {"from_address": "alerts@example.com"}
    made = make_channel(scene.tenant, "email", settings=settings, locale=channel)
    work = PlannedWork(id="w1", name="Disks", starts_at=AT, ends_at=AT + timedelta(hours=2))
    message = msgspec.structs.replace(sample_message(), planned=[work], locale=tenant)
    put(made, recipient=user.email, message=message)
    deliver_all_due(scene.id)
    mail = smtp.arrived[-1].message
    (file,) = [part for part in mail.iter_attachments() if part.get_content_type() == "text/calendar"]
    (event,) = Calendar.from_ical(file.get_content()).walk("VEVENT")
    summary = str(event["summary"]).replace("\u00a0", " ")
    assert summary == {"it": "Manutenzione: Disks", "fr": "Maintenance : Disks", "de": "Wartung: Disks"}[spoken]
