"""The inbox's drawing of Slack: its buttons do here what Slack's do there."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import pytest
from django.test import Client

from alerting.models import Silence
from channels.delivery import deliver_due
from channels.models import ChannelIdentity
from config.inbox import slack_player
from config.inbox.doors import Doors
from config.inbox.store import Inbox
from tests.alerting.scenes import Scene, alert
from tests.factories import make_member
from tests.fakes.http import FakeServer, Reply, Request

pytestmark = pytest.mark.django_db


@pytest.fixture
def doors(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Doors, Scene]]:
    holder: list[Doors] = []
    with FakeServer(lambda request: holder[0](request)) as server:
        settings.SLACK_API_BASE_URL = f"{server.url}/slack/api/"
        holder.append(Doors(Inbox(), [], server.url))
        monkeypatch.setattr(slack_player, "post", post_to_django)
        scene = Scene()
        channel = scene.channel("slack")
        with scene.context():
            channel.kind, channel.settings = "slack", {"channel": "#alerts"}
            credentials = {"token": "xoxb-test", "signing_secret": slack_player.signing_secret()}
            channel.credentials = json.dumps(credentials)
            channel.save()
            user = make_member(scene.tenant)
            ChannelIdentity.objects.create(channel=channel, external_id="U0INBOX", user=user)
        scene.route(channel)
        scene.flush()
        scene.run(alert(host="a"))
        deliver(scene)
        yield holder[0], scene


def deliver(scene: Scene) -> None:
    scene.hurry()
    scene.flush()
    while deliver_due(scene.id):
        pass


def post_to_django(url: str, body: bytes, headers: dict[str, str]) -> str:
    kind = headers.pop("Content-Type")
    answer = Client().post(urlsplit(url).path, body, content_type=kind, headers=headers)
    return answer.content.decode() if answer.status_code == 200 else f"HTTP {answer.status_code}"


def call(doors: Doors, method: str, path: str, form: dict[str, str] | None = None) -> Reply:
    return doors(Request(method, path, {}, {}, urlencode(form or {}).encode()))


def press(doors: Doors, words: str) -> Reply:
    """Press the button with these words, as the page draws it."""
    page = call(doors, "GET", "/").body.decode()
    found = re.search(rf'name="ts" value="([^"]+)"><button [^>]*name="value" value="([^"]+)">{words}<', page)
    assert found, page
    return call(doors, "POST", "/slack/press", {"ts": found[1], "value": unescape(found[2])})


def test_a_button_acknowledges_and_the_message_changes(doors: tuple[Doors, Scene]) -> None:
    inbox, scene = doors
    answer = press(inbox, "Acknowledge")
    assert unquote(answer.headers["Location"]) == "/?said=Acknowledged."
    assert scene.group().status == "acknowledged"
    deliver(scene)
    page = call(inbox, "GET", "/").body.decode()
    assert "Take back acknowledgement" in page
    assert "changed once" in page
    assert "in the thread" in page


def test_a_dialog_takes_a_comment(doors: tuple[Doors, Scene]) -> None:
    inbox, scene = doors
    page = press(inbox, "Comment\u2026").body.decode()
    value = unescape(re.search(r'name="value" value="([^"]+)"', page)[1])
    ts = re.search(r'name="ts" value="([^"]+)"', page)[1]
    said = call(inbox, "POST", "/slack/submit", {"ts": ts, "value": value, "text": "restarted it"})
    assert unquote(said.headers["Location"]) == "/?said=Done."
    deliver(scene)
    assert "restarted it" in call(inbox, "GET", "/").body.decode()


def test_the_slash_command_is_typed_in_the_inbox(doors: tuple[Doors, Scene]) -> None:
    inbox, scene = doors
    assert 'action="/slack/command"' in inbox(Request("GET", "/", {"channel": "slack"}, {}, b"")).body.decode()
    said = unquote(call(inbox, "POST", "/slack/command", {"text": ""}).headers["Location"])
    assert f"\u2022 {scene.group().title} (warning, firing" in said
    said = unquote(call(inbox, "POST", "/slack/command", {"text": "help"}).headers["Location"])
    assert "Write /alerts to see what is open" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Assign to me", "It is yours now."),
        ("Show similar", "There was nothing like it before."),
        ("Silence for 1 hour", "Silenced for 1 h."),
        ("Silence for 4 hours", "Silenced for 4 h."),
        ("Resolve", "Resolved."),
    ],
)
def test_each_act_of_the_message_does_what_it_says(doors: tuple[Doors, Scene], words: str, said: str) -> None:
    inbox, _scene = doors
    assert unquote(press(inbox, words).headers["Location"]) == f"/?said={said}"


def test_silencing_until_a_time_is_chosen_in_a_dialog(doors: tuple[Doors, Scene]) -> None:
    inbox, scene = doors
    page = press(inbox, "Silence until\u2026").body.decode()
    value = unescape(re.search(r'name="value" value="([^"]+)"', page)[1])
    ts, until = re.search(r'name="ts" value="([^"]+)"', page)[1], re.search(r'<option value="(\d+)"', page)[1]
    past = call(inbox, "POST", "/slack/submit", {"ts": ts, "value": value, "until": "1000000000"})
    assert unquote(past.headers["Location"]) == "/?said=Choose a time to come."
    said = call(inbox, "POST", "/slack/submit", {"ts": ts, "value": value, "until": until})
    assert unquote(said.headers["Location"]) == "/?said=Done."
    with scene.context():
        assert int(Silence.objects.get().ends_at.timestamp()) == int(until)
