"""Slack's buttons, dialogs and command: verified, by a linked member, within their role, once."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

from alerting import lifecycle
from alerting.models import Silence
from channels.delivery import deliver_due
from channels.languages import Voice
from channels.models import CallbackCall, Channel, ChannelIdentity
from channels.slack.values import Forged, Signer, read_act
from tenants.models import User
from tests.alerting.scenes import Scene, alert
from tests.factories import PASSWORD, make_member, make_tenant
from tests.fakes.http import FakeServer, Reply, Request
from tests.fakes.slack import FakeSlack, interaction

pytestmark = pytest.mark.django_db
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_USER = {"id": "U1", "username": "olga.slack"}


class World:
    """A tenant with one group told to Slack, and a Slack whose buttons can be pressed."""

    def __init__(self, url: str, fake: FakeSlack) -> None:
        self.url, self.fake, self.said = url, fake, []
        self.scene = Scene()
        self.channel = self.scene.channel("slack")
        with self.scene.context():
            self.channel.kind, self.channel.settings = "slack", {"channel": "C0ALERTS"}
            self.channel.credentials = json.dumps({"token": "xoxb-test", "signing_secret": SECRET})
            self.channel.save()
        self.scene.route(self.channel)
        self.scene.flush()
        self.scene.run(alert(host="a"))
        self.deliver()

    def deliver(self) -> None:
        self.scene.hurry()
        self.scene.flush()
        while deliver_due(self.scene.id):
            pass

    def link(self, role: str = "owner") -> User:
        user = make_member(self.scene.tenant, role)
        with self.scene.context():
            ChannelIdentity.objects.create(channel=self.channel, external_id="U1", user=user)
        return user

    def value(self, act: str) -> str:
        """What the button of an act carries, as the message in Slack shows it."""
        shown = self.fake.messages[0].attachments[0]["blocks"]
        elements = [one for block in shown if block["type"] == "actions" for one in block["elements"]]
        values = [one["value"] for one in elements if "value" in one]
        values += [option["value"] for one in elements for option in one.get("options", [])]
        return next(value for value in values if value.startswith(f"{act}."))

    def post(self, body: bytes, headers: dict[str, str], channel: Channel | None = None) -> HttpResponse:
        kind = headers.pop("Content-Type")
        path = f"/callbacks/slack/{self.scene.tenant.slug}/{(channel or self.channel).pk}"
        return Client(raise_request_exception=False).post(path, body, content_type=kind, headers=headers)

    def click(self, act: str, *, value: str = "", secret: str = SECRET, **more: Any) -> HttpResponse:
        action = {"action_id": f"act_{act}", "value": value or self.value(act)}
        payload = {"type": "block_actions", "user": SLACK_USER, "actions": [action], "trigger_id": "t1"}
        payload["response_url"] = f"{self.url}/respond"
        return self.post(*interaction(secret, payload, **more))

    def submit(self, act: str, answer: dict[str, Any], value: str = "") -> HttpResponse:
        view = {"private_metadata": value or self.value(act), "state": {"values": {"answer": {"x": answer}}}}
        return self.post(*interaction(SECRET, {"type": "view_submission", "user": SLACK_USER, "view": view}))

    def outcomes(self) -> list[str]:
        with self.scene.context():
            return list(CallbackCall.objects.order_by("id").values_list("outcome", flat=True))


@pytest.fixture
def world(settings: Any) -> Iterator[World]:
    fake, heard = FakeSlack(), []

    def answer(request: Request) -> Reply:
        if request.path == "/respond":
            heard.append(json.loads(request.body))
            return Reply()
        return fake(request)

    with FakeServer(answer) as server:
        settings.SLACK_API_BASE_URL = f"{server.url}/api/"
        world = World(server.url, fake)
        world.said = heard
        yield world


def test_a_click_acknowledges_and_the_message_shows_it(world: World) -> None:
    user = world.link()
    # What the answer costs by itself: other programs on the machine are no news. Slack waits three seconds.
    began = time.thread_time()
    assert world.click("acknowledge").status_code == 200
    assert time.thread_time() - began < 3
    group = world.scene.group()
    assert (group.status, group.acknowledged_by) == ("acknowledged", f"{user.username} (Slack)")
    assert world.said == [{"response_type": "ephemeral", "replace_original": False, "text": "Acknowledged."}]
    world.deliver()
    parent, news = world.fake.messages
    assert "act_unacknowledge" in json.dumps(parent.attachments)
    assert f"*{user.username} (Slack)* has acknowledged it" in news.blocks[0]["text"]["text"]
    assert (news.thread_ts, news.is_broadcast) == (parent.ts, False)
    assert world.click("unacknowledge").status_code == 200
    assert world.scene.group().status == "firing"


def test_every_act_of_the_menu(world: World) -> None:
    user = world.link()
    world.click("silence_1h")
    world.click("silence_4h")
    world.click("assign")
    world.click("similar")
    group = world.scene.group()
    assert group.assigned_to == user
    with world.scene.context():
        spans = [silence.ends_at - silence.starts_at for silence in Silence.objects.order_by("ends_at")]
    assert [round(span / timedelta(hours=1)) for span in spans] == [1, 4]
    assert [said["text"] for said in world.said] == [
        "Silenced for 1 h.",
        "Silenced for 4 h.",
        "It is yours now.",
        "There was nothing like it before.",
    ]
    world.click("resolve")
    assert world.scene.group().status == "resolved"
    world.click("acknowledge", value=Signer(str(world.channel.pk), str(group.pk))("acknowledge"))
    assert world.said[-1]["text"] == "This group is resolved."
    assert world.outcomes()[-1] == "conflict"


def test_the_thread_says_who_silenced_it_and_until_when(world: World) -> None:
    user = world.link()
    world.click("silence_4h")
    world.deliver()
    with world.scene.context():
        silence = Silence.objects.get()
    until = Voice("en").when(silence.ends_at, "full")
    said = world.fake.messages[-1].blocks[0]["text"]["text"]
    # Nobody wrote a word, so none is quoted.
    assert said == f"*{user.username} (Slack)* has silenced it until {until}"
    assert silence.comment == "Silenced in Slack"


def test_a_comment_goes_through_a_dialog_into_the_thread(world: World) -> None:
    world.link()
    world.click("comment")
    (view,) = world.fake.views
    assert view["private_metadata"] == f"{world.value('comment')} {world.url}/respond"
    answer = world.submit("comment", {"type": "plain_text_input", "value": "I am on it <!channel>"})
    assert (answer.status_code, answer.content) == (200, b"")
    world.deliver()
    said = world.fake.messages[-1].blocks[0]["text"]["text"]
    assert "I am on it" in said
    assert "<!channel>" not in said
    empty = world.submit("comment", {"type": "plain_text_input", "value": None})
    assert json.loads(empty.content)["errors"] == {"answer": "Write a comment."}


def test_silencing_until_a_time_asks_for_one_to_come(world: World) -> None:
    world.link()
    world.click("silence_until")
    assert world.fake.views[0]["blocks"][0]["element"]["type"] == "datetimepicker"
    past = world.submit("silence_until", {"selected_date_time": 1_000_000_000})
    assert json.loads(past.content)["response_action"] == "errors"
    until = int(time.time()) + 7_200
    assert world.submit("silence_until", {"selected_date_time": until}).content == b""
    with world.scene.context():
        assert Silence.objects.get().ends_at == datetime.fromtimestamp(until, UTC)


def test_whoever_is_not_linked_gets_a_link_and_nothing_happens(world: World) -> None:
    world.click("acknowledge")
    assert world.scene.group().status == "firing"
    words = world.said[0]["text"]
    token = parse_qs(urlsplit(words.rpartition(" ")[2]).query)["token"][0]
    member = make_member(world.scene.tenant)
    client = Client()
    path = f"/callbacks/slack/link?token={token}"
    assert client.get(path).headers["Location"].startswith("/admin/login")
    client.login(username=member.username, password=PASSWORD)
    page = client.get(path)
    assert page.status_code == 200
    assert "olga.slack" in page.content.decode()
    with world.scene.context():
        assert not ChannelIdentity.objects.exists(), "a link scanner opens addresses too"
    assert client.post("/callbacks/slack/link", {"token": token}).status_code == 200
    world.click("acknowledge", at=time.time() + 5)
    assert world.scene.group().acknowledged_by == f"{member.username} (Slack)"


def test_a_link_is_no_use_to_people_of_other_tenants(world: World) -> None:
    world.click("acknowledge")
    token = parse_qs(urlsplit(world.said[0]["text"].rpartition(" ")[2]).query)["token"][0]
    client = Client()
    client.login(username=make_member(make_tenant()).username, password=PASSWORD)
    assert client.post("/callbacks/slack/link", {"token": token}).status_code == 400
    assert client.post("/callbacks/slack/link", {"token": token[:-2]}).status_code == 400
    with world.scene.context():
        assert not ChannelIdentity.objects.exists()


def test_a_role_that_may_only_look_cannot_act(world: World) -> None:
    world.link("viewer")
    world.click("acknowledge")
    world.click("comment")
    assert world.scene.group().status == "firing"
    assert not world.fake.views
    assert all("act_on_alerts" in said["text"] for said in world.said)
    assert world.outcomes() == ["not_allowed", "not_allowed"]


def test_who_left_the_tenant_cannot_act(world: World) -> None:
    user = world.link()
    user.is_active = False
    user.save()
    world.click("acknowledge")
    assert world.scene.group().status == "firing"
    assert world.outcomes() == ["not_linked"]


def test_a_value_that_was_not_signed_for_this_channel_does_nothing(world: World) -> None:
    world.link()
    group = world.scene.group()
    other = world.scene.channel("other")
    world.click("acknowledge", value=Signer(str(other.pk), str(group.pk))("acknowledge"))
    good = world.value("acknowledge")
    world.click("acknowledge", value=good.replace("acknowledge", "resolve"))
    world.click("acknowledge", value=f"acknowledge.{group.pk}")
    assert world.scene.group().status == "firing"
    assert world.outcomes() == ["forged"] * 3
    with pytest.raises(Forged):
        read_act(str(world.channel.pk), "acknowledge.\u00e9.x")


@pytest.mark.parametrize("shift", [-301, 360, -86_400])
def test_an_old_or_future_call_is_refused(world: World, shift: int) -> None:
    world.link()
    assert world.click("acknowledge", at=time.time() + shift).status_code == 401
    assert world.scene.group().status == "firing"
    assert world.outcomes() == ["too_old"]


@pytest.mark.parametrize("odd", ["", "now", "-1", "1e9", "\u0661", "9" * 30, "1.5", " 1"])
def test_an_odd_time_is_refused(world: World, odd: str) -> None:
    body, headers = interaction(SECRET, {"type": "block_actions"})
    headers["X-Slack-Request-Timestamp"] = odd
    assert world.post(body, headers).status_code == 401


def test_a_wrong_secret_a_changed_body_and_no_signature_are_refused(world: World) -> None:
    world.link()
    assert world.click("acknowledge", secret="x" * 32).status_code == 401
    body, headers = interaction(SECRET, {"type": "block_actions"})
    assert world.post(body + b"x", dict(headers)).status_code == 401
    assert world.post(body, {"Content-Type": headers["Content-Type"]}).status_code == 401
    assert world.outcomes() == ["wrong_secret", "wrong_secret", "not_signed"]


def test_a_call_is_taken_once(world: World) -> None:
    world.link()
    stamp = time.time()
    assert world.click("acknowledge", at=stamp).status_code == 200
    lifecycle.unacknowledge(world.scene.principal, world.scene.group().pk)
    assert world.click("acknowledge", at=stamp).status_code == 401
    assert world.scene.group().status == "firing"
    assert world.outcomes() == ["done", "replayed"]


def test_unknown_tenants_and_channels_look_like_a_wrong_secret(world: World) -> None:
    body, headers = interaction(SECRET, {"type": "block_actions"})
    kind = headers.pop("Content-Type")
    for path in (f"nobody/{world.channel.pk}", f"{world.scene.tenant.slug}/{world.scene.tenant.pk}"):
        answer = Client().post(f"/callbacks/slack/{path}", body, content_type=kind, headers=headers)
        assert (answer.status_code, answer.content) == (401, b"refused\n")


@pytest.mark.parametrize("payload", ["[]", "null", "1", '{"type": "block_actions", "actions": []}', '{"user": 3}', "{"])
def test_a_verified_call_that_makes_no_sense_is_a_400(world: World, payload: str) -> None:
    body, headers = interaction(SECRET, {"payload": payload}, command=True)
    assert world.post(body, headers).status_code == 400


def test_slacks_check_of_the_address_is_answered(world: World) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
    stamp = str(int(time.time()))
    mac = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={mac}",
    }
    answer = world.post(body, headers)
    assert json.loads(answer.content) == {"challenge": "abc"}


def test_the_slash_command_lists_what_is_open(world: World) -> None:
    world.link()
    fields = {"command": "/alerts", "text": "", "user_id": "U1", "user_name": "olga"}
    answer = json.loads(world.post(*interaction(SECRET, fields, command=True)).content)
    assert answer["response_type"] == "ephemeral"
    assert str(world.scene.group().pk) in answer["text"]
    lifecycle.resolve(world.scene.principal, world.scene.group().pk)
    answer = json.loads(world.post(*interaction(SECRET, {**fields, "x": "1"}, command=True)).content)
    assert answer["text"] == "Nothing is open. All is well."


def test_refused_calls_cannot_fill_the_table(world: World) -> None:
    for number in range(40):
        world.click("acknowledge", secret="x" * 32, at=time.time() - number)
    assert len(world.outcomes()) == 30
