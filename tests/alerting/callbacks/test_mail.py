"""Links in mails and a provider's news: they act for their reader only, and only when a person presses the button."""

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.test import Client

from alerting.models import TimelineEvent
from channels.delivery import deliver_due
from channels.mail import links
from channels.models import Channel, Delivery, PausedAddress
from tenants.context import tenant_context
from tests.alerting.scenes import Scene, alert
from tests.fakes.smtp import FakeSMTP

pytestmark = pytest.mark.django_db
READER = "olga@example.com"


class World:
    def __init__(self, smtp: FakeSMTP) -> None:
        self.smtp, self.scene = smtp, Scene()
        self.channel = self.scene.channel("mail")
        with self.scene.context():
            self.channel.kind = "email"
            self.channel.settings = {
                "host": "127.0.0.1",
                "port": smtp.port,
                "security": "none",
                "to": [READER],
                "from_address": "alerts@example.com",
            }
            self.channel.credentials = ""
            self.channel.save()
        self.scene.route(self.channel)
        self.scene.flush()
        self.tell()

    def tell(self, **labels: str) -> None:
        self.scene.run(alert(**({"host": "a"} | labels)))
        while deliver_due(self.scene.id):
            pass

    def link(self, word: str) -> str:
        """The path of the first link of a kind in the last mail's text or headers."""
        mail = self.smtp.arrived[-1]
        source = f"{mail.message['List-Unsubscribe']}\n{mail.body('plain')}"
        url = next(piece.strip("<>") for piece in source.split() if f"/mail/{word}/" in piece)
        return urlsplit(url).path


@pytest.fixture
def world(settings: Any) -> Any:
    settings.EGRESS_ALLOW_LOOPBACK = True
    with FakeSMTP() as smtp:
        yield World(smtp)


def test_opening_the_link_does_nothing_and_the_button_acknowledges(world: World) -> None:
    path = world.link("acknowledge")
    scanner = Client(enforce_csrf_checks=True)
    assert [scanner.get(path).status_code, scanner.head(path).status_code] == [200, 200]
    assert world.scene.group().status == "firing"
    answer = scanner.post(path)
    assert answer.status_code == 200
    group = world.scene.group()
    assert (group.status, group.acknowledged_by) == ("acknowledged", f"{READER} (e-mail)")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert path in world.smtp.arrived[0].body("html")


def test_a_link_is_good_for_its_reader_its_group_and_a_week(world: World, monkeypatch: Any) -> None:
    path = world.link("acknowledge")
    assert Client().post(path[:-3]).status_code == 410
    assert Client().post(path.replace("acknowledge", "unsubscribe")).status_code == 410
    monkeypatch.setattr(links, "MAX_AGE_SECONDS", -1)
    assert Client().post(path).status_code == 410
    monkeypatch.undo()
    with world.scene.context():
        Channel.objects.filter(pk=world.channel.pk).update(
            settings={**world.channel.settings, "to": ["bob@example.com"]}
        )
    assert Client().post(path).status_code == 410, "who is no reader any more cannot act"
    assert world.scene.group().status == "firing"
    assert links.read_claim(signing.dumps(["a", "b"], salt=links.ACKNOWLEDGE), links.ACKNOWLEDGE) is None


def test_a_link_of_one_tenant_cannot_name_a_group_of_another(world: World) -> None:
    other = Scene()
    other.route(other.channel())
    other.run(alert(host="b"))
    slug, channel = world.scene.tenant.slug, str(world.channel.pk)
    url = links.acknowledge_url(links.Claim(slug, channel, str(other.group().pk), READER))
    assert Client().post(urlsplit(url).path).status_code == 410
    assert other.group().status == "firing"


def test_wanting_no_more_takes_one_post_and_is_told(world: World) -> None:
    assert world.smtp.arrived[0].message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = world.link("unsubscribe")
    Client().get(path)
    with world.scene.context():
        assert not PausedAddress.objects.exists()
    assert Client().post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    world.tell(host="b", alertname="Other")
    assert len(world.smtp.arrived) == 1
    with world.scene.context():
        last = Delivery.objects.order_by("-id").first()
        assert (last.state, "wants no more" in last.state_reason) == ("expired", True)
        assert TimelineEvent.objects.filter(group_id=last.source_id, kind="not_delivered").exists()


@pytest.fixture
def provider(world: World) -> World:
    with world.scene.context():
        settings = {"provider": "postmark", "to": [READER], "from_address": "alerts@example.com"}
        credentials = {"api_key": "k", "webhook_secret": "postmark:0123456789abcdef"}
        world.channel.settings, world.channel.credentials = settings, json.dumps(credentials)
        world.channel.save()
    return world


def tell_of(world: World, password: str = "0123456789abcdef", **event: Any) -> int:
    body = {"RecordType": "Bounce", "Type": "HardBounce", "Email": READER, "ID": 1, "MessageID": "m", **event}
    body.setdefault("BouncedAt", "2026-11-23T03:00:00Z")
    token = base64.b64encode(f"postmark:{password}".encode()).decode()
    path = f"/callbacks/mail/{world.scene.tenant.slug}/{world.channel.pk}"
    client = Client(raise_request_exception=False)
    return client.post(
        path, json.dumps(body), content_type="application/json", headers={"Authorization": f"Basic {token}"}
    ).status_code


def paused(world: World) -> list[tuple[str, str]]:
    with tenant_context(world.scene.id):
        return list(PausedAddress.objects.values_list("address", "why"))


def test_a_hard_bounce_and_a_complaint_pause_the_address(provider: World) -> None:
    assert tell_of(provider) == 200
    assert paused(provider) == [(READER, "bounced")]
    assert tell_of(provider, RecordType="SpamComplaint", Type="SpamComplaint") == 200
    assert len(paused(provider)) == 1


@pytest.mark.parametrize(
    "event", [{"Type": "Transient"}, {"Email": "stranger@example.com"}, {"RecordType": "Delivery"}]
)
def test_what_passes_by_itself_and_strangers_pause_nothing(provider: World, event: dict[str, Any]) -> None:
    assert tell_of(provider, **event) in {200, 400}
    assert paused(provider) == []


def test_only_the_provider_can_pause(provider: World, world: World) -> None:
    assert tell_of(provider, password="wrong") == 401
    with world.scene.context():
        world.channel.credentials = json.dumps({"api_key": "k"})
        world.channel.save()
    assert tell_of(provider) == 401
    assert paused(provider) == []
