"""Links in mails and a provider's news: they act for their reader only, and only when a person presses the button."""

import base64
import hashlib
import hmac
import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.db.models.functions import Now
from django.test import Client

from alerting.models import ContactMethod, TimelineEvent
from channels.api.serializers import DeliveryDetailOutput
from channels.delivery import deliver_due
from channels.mail import links
from channels.models import Channel, Delivery, MailConsent, MailOpening, PausedAddress
from channels.selectors import deliveries_with_attempts
from tenants.context import tenant_context
from tenants.models import AuditEntry, User
from tests.alerting.scenes import Scene, alert
from tests.factories import make_member
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


EVENTS: dict[str, tuple[Any, Any]] = {
    "postmark": (
        {"RecordType": "Bounce", "Type": "HardBounce", "Email": READER, "ID": 1, "MessageID": "m"},
        {"RecordType": "Bounce", "Type": "SoftBounce", "Email": READER, "ID": 1, "MessageID": "m"},
    ),
    "sendgrid": (
        [{"event": "bounce", "type": "bounce", "email": READER, "timestamp": 1, "sg_event_id": "1"}],
        [{"event": "bounce", "type": "blocked", "email": READER, "timestamp": 1, "sg_event_id": "1"}],
    ),
    "brevo": (
        {"event": "hard_bounce", "email": READER, "ts_epoch": 1000, "message-id": "<1>"},
        {"event": "soft_bounce", "email": READER, "ts_epoch": 1000, "message-id": "<1>"},
    ),
    "resend": (
        {"type": "email.bounced", "created_at": "2026-11-23T03:00:00Z", "data": {"email_id": "1", "to": [READER]}},
        {
            "type": "email.bounced",
            "created_at": "2026-11-23T03:00:00Z",
            "data": {"email_id": "1", "to": [READER], "bounce": {"type": "Transient", "message": "mailbox full"}},
        },
    ),
    "mailgun": (
        {"event": "failed", "severity": "permanent", "recipient": READER, "timestamp": 1.0, "id": "1"},
        {"event": "failed", "severity": "temporary", "recipient": READER, "timestamp": 1.0, "id": "1"},
    ),
}


def call_as(world: World, provider: str, event: Any, key: str = "mailgun-signing-key") -> int:
    """Call as the provider does: with the password in the address, or with a signature in the body."""
    settings = {"provider": provider, "to": [READER], "from_address": "alerts@example.com"}
    credentials = {"api_key": "k", "webhook_secret": "user:0123456789abcdef"}
    if provider == "mailgun":
        credentials = {"api_key": "k", "signing_key": "mailgun-signing-key"}
        digest = hmac.new(key.encode(), b"1700000000token", hashlib.sha256).hexdigest()
        event = {"event-data": event, "signature": {"timestamp": "1700000000", "token": "token", "signature": digest}}
    with world.scene.context():
        Channel.objects.filter(pk=world.channel.pk).update(settings=settings)
        world.channel.refresh_from_db()
        world.channel.credentials = json.dumps(credentials)
        world.channel.save()
    token = base64.b64encode(b"user:0123456789abcdef").decode()
    path = f"/callbacks/mail/{world.scene.tenant.slug}/{world.channel.pk}"
    body = json.dumps(event)
    return (
        Client(raise_request_exception=False)
        .post(path, body, content_type="application/json", headers={"Authorization": f"Basic {token}"})
        .status_code
    )


@pytest.mark.parametrize("provider", sorted(EVENTS))
def test_each_providers_lasting_bounce_pauses_and_a_passing_one_does_not(world: World, provider: str) -> None:
    lasting, passing = EVENTS[provider]
    assert call_as(world, provider, passing) == 200
    assert paused(world) == []
    assert call_as(world, provider, lasting) == 200
    assert paused(world) == [(READER, "bounced")]


def test_a_call_of_mailgun_must_be_signed(world: World) -> None:
    assert call_as(world, "mailgun", EVENTS["mailgun"][0], key="another") == 401
    assert paused(world) == []


@pytest.mark.parametrize(
    ("answer", "pauses"),
    [
        ("550 5.1.1 no such user", True),
        ("551 user not local", True),
        ("553 5.1.3 bad address", True),
        ("550 5.7.1 your network is blocked", False),
        ("552 5.2.2 mailbox full", False),
        ("450 4.2.1 busy", False),
    ],
)
def test_an_address_that_a_server_refuses_for_good_is_paused(world: World, answer: str, pauses: bool) -> None:
    world.smtp.rcpt_script.append(answer)
    world.tell(host="b", alertname="Other")
    assert paused(world) == ([(READER, "refused")] if pauses else [])
    if pauses:
        world.tell(host="c", alertname="Third")
        with world.scene.context():
            last = Delivery.objects.order_by("-id").first()
            assert (last.state, "refuses it" in last.state_reason) == ("expired", True)
            assert AuditEntry.objects.filter(action="pausedaddress.paused").count() == 1
            assert TimelineEvent.objects.filter(group_id=last.source_id, kind="not_delivered").exists()


# Openings


@pytest.fixture
def tracking(world: World) -> World:
    with world.scene.context():
        Channel.objects.filter(pk=world.channel.pk).update(settings={**world.channel.settings, "track_opens": True})
    world.tell(host="b", alertname="Other")
    return world


def pixel_of(world: World) -> str:
    found = re.search(r'src="[^"]*(/mail/opened/[^"]+)"', world.smtp.arrived[-1].body("html"))
    return found[1] if found else ""


def opened(world: World) -> list[tuple[str, str]]:
    with world.scene.context():
        return [(str(one.delivery_id), one.address) for one in MailOpening._default_manager.all()]


def agree(world: World) -> str:
    path = world.link("consent")
    assert b'name="agree" value="yes"' in Client().get(path).content
    assert Client().post(path, {"agree": "yes"}).status_code == 200
    return path


def test_nothing_is_tracked_unless_channel_and_reader_want_it(world: World) -> None:
    assert (pixel_of(world), "/mail/consent/" in world.smtp.arrived[-1].body("plain")) == ("", False)


def test_looking_at_the_question_is_no_consent(tracking: World) -> None:
    assert pixel_of(tracking) == ""
    path = tracking.link("consent")
    assert [Client().get(path).status_code, Client().head(path).status_code] == [200, 200]
    tracking.tell(host="c", alertname="Third")
    assert pixel_of(tracking) == ""


def test_with_consent_the_time_of_the_first_opening_is_kept_and_nothing_else(tracking: World) -> None:
    agree(tracking)
    with tracking.scene.context():
        consent = MailConsent._default_manager.get()
        assert (consent.address, "Only the time is kept" in consent.wording) == (READER, True)
        assert AuditEntry.objects.filter(action="mailconsent.given").exists()
    tracking.tell(host="c", alertname="Third")
    pixel = pixel_of(tracking)
    reader = Client(headers={"User-Agent": "Mail/1.0"}, REMOTE_ADDR="203.0.113.9")
    answers = [reader.get(pixel), reader.get(pixel), Client().head(pixel)]
    assert {(one.status_code, one.headers["Content-Type"]) for one in answers} == {(200, "image/gif")}
    assert "no-store" in answers[0].headers["Cache-Control"]
    [(seen, address)] = opened(tracking)
    assert address == READER
    with tracking.scene.context():
        delivery = deliveries_with_attempts().get(pk=seen)
        assert DeliveryDetailOutput(delivery).data["opened_at"] is not None
    assert {field.name for field in MailOpening._meta.fields} == {"id", "tenant", "delivery", "address", "opened_at"}


def test_taking_it_back_deletes_what_was_seen_and_ends_it_at_once(tracking: World) -> None:
    path = agree(tracking)
    tracking.tell(host="c", alertname="Third")
    pixel = pixel_of(tracking)
    Client().get(pixel)
    assert len(opened(tracking)) == 1
    assert b"Take it back" in Client().get(path).content
    Client().post(path)
    assert opened(tracking) == []
    Client().get(pixel)
    assert opened(tracking) == [], "the pixel of a mail sent before tells nothing any more"
    tracking.tell(host="d", alertname="Fourth")
    assert pixel_of(tracking) == ""
    with tracking.scene.context():
        assert AuditEntry.objects.filter(action="mailconsent.withdrawn").exists()


def test_a_page_speaks_the_language_of_the_mail_that_led_to_it(tracking: World) -> None:
    path = tracking.link("consent")
    assert b"Yes, they may" in Client().get(path).content
    reader = make_member(tracking.scene.tenant, "viewer")
    User.objects.filter(pk=reader.pk).update(email=READER, locale="de")
    assert "Ja, das darf es" in Client().get(path).content.decode()


def test_a_forged_pixel_is_a_picture_and_nothing_else(tracking: World) -> None:
    agree(tracking)
    slug, channel = tracking.scene.tenant.slug, str(tracking.channel.pk)
    with tracking.scene.context():
        stranger = str(Delivery.objects.order_by("id").first().pk)
    forged = [links.Claim(slug, channel, stranger, "bob@example.com"), links.Claim(slug, channel, "x", READER)]
    for claim in forged:
        assert Client().get(urlsplit(links.opened_url(claim)).path).status_code == 200
    assert Client().get("/mail/opened/nonsense").status_code == 200
    assert opened(tracking) == []


# Members' own addresses


def test_a_member_acknowledges_by_the_mail_to_their_own_address(world: World) -> None:
    responder, viewer = make_member(world.scene.tenant, "responder", "rita"), make_member(world.scene.tenant, "viewer")
    group = world.scene.group()

    def answer(person: Any, address: str, verified: bool = True) -> int:
        with world.scene.context():
            ContactMethod.objects.create(
                person=person, channel=world.channel, address=address, verified_at=Now() if verified else None
            )
        claim = links.Claim(world.scene.tenant.slug, str(world.channel.pk), str(group.pk), address)
        return Client().post(urlsplit(links.acknowledge_url(claim)).path).status_code

    assert answer(responder, "not-yet@example.com", verified=False) == 410
    assert answer(viewer, "viewer@example.com") == 403
    assert world.scene.group().status == "firing"
    assert answer(responder, "rita@example.com") == 200
    assert (world.scene.group().status, world.scene.group().acknowledged_by) == ("acknowledged", "rita (e-mail)")
