"""The page that says why a button in Slack does nothing."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from alerting.models import AlertGroup
from channels.models import CallbackCall, Channel, ChannelIdentity
from channels.slack.values import Signer
from tenants.context import tenant_context
from tests.alerting.admin.world import World
from tests.fakes.slack import interaction

SECRET = "0123456789abcdef"


def make_channel(world: World, name: str = "team", **credentials: str) -> Channel:
    with tenant_context(world.tenant.pk):
        secrets = json.dumps({"token": "xoxb-test", **credentials})
        return Channel.objects.create(name=name, kind="slack", settings={"channel": "#a"}, credentials=secrets)


def page(world: World, channel: Channel) -> tuple[int, str]:
    answer = world.client(world.owner).get(reverse("admin:channels_channel_slack", args=[channel.pk]))
    return answer.status_code, answer.content.decode()


def test_what_is_missing_is_named(ours: World, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    status, text = page(ours, make_channel(ours))
    assert status == 200
    assert "Slack calls nothing else" in text
    assert "There is no signing secret" in text
    assert "Slack has never called" in text
    assert "No Slack user is linked yet" in text


def test_the_last_calls_are_listed_with_their_outcome(ours: World, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://alerts.example.com"
    channel = make_channel(ours, signing_secret="0123456789abcdef")
    with tenant_context(ours.tenant.pk):
        CallbackCall.objects.create(channel=channel, outcome="wrong_secret", took_ms=12)
    _status, text = page(ours, channel)
    assert f"https://alerts.example.com/callbacks/slack/{ours.tenant.slug}/{channel.pk}" in text
    assert "signed with another secret than this channel has" in text
    assert "The address begins with https:// and is no private one." in text
    assert "the slowest of the last ones took 12 ms" in text


def test_other_tenants_and_other_kinds_have_no_such_page(ours: World, foreign: World) -> None:
    assert page(foreign, make_channel(ours))[0] in {302, 404}
    with tenant_context(ours.tenant.pk):
        hook = Channel.objects.filter(kind="webhook").first()
    assert hook is None or page(ours, hook)[0] == 404


def click(channel: Channel, slug: str, act: str = "acknowledge", *, group: str = "", **more: Any) -> int:
    """Press a button as Slack tells of it."""
    value = more.pop("value", "") or Signer(str(channel.pk), group or str(uuid4()))(act)
    payload = {"type": "block_actions", "user": {"id": "U1", "username": "olga"}, "actions": [{"value": value}]}
    body, headers = interaction(more.pop("secret", SECRET), payload, **more)
    return send(channel, slug, body, headers)


def send(channel: Channel, slug: str, body: bytes, headers: dict[str, str]) -> int:
    path = f"/callbacks/slack/{slug}/{channel.pk}"
    kind = headers["Content-Type"]
    return Client(raise_request_exception=False).post(path, body, content_type=kind, headers=headers).status_code


def link(world: World, channel: Channel, who: str = "owner") -> None:
    with tenant_context(world.tenant.pk):
        ChannelIdentity.objects.create(channel=channel, external_id="U1", user=getattr(world, who))


class TestEachCause:
    """What goes wrong really goes wrong here, and the page names it."""

    @pytest.fixture
    def channel(self, ours: World, settings: Any) -> Channel:
        settings.PUBLIC_BASE_URL = "https://alerts.example.com"
        return make_channel(ours, signing_secret=SECRET)

    def shown(self, world: World, channel: Channel) -> str:
        return page(world, channel)[1]

    @pytest.mark.parametrize(
        ("base", "words"),
        [
            ("http://alerts.example.com", "Slack calls nothing else"),
            ("https://10.1.2.3", "cannot be reached from the internet"),
            ("https://alerts.internal", "cannot be reached from the internet"),
            ("https://alerts", "cannot be reached from the internet"),
        ],
    )
    def test_an_address_that_slack_cannot_reach(
        self, ours: World, channel: Channel, settings: Any, base: str, words: str
    ) -> None:
        settings.PUBLIC_BASE_URL = base
        text = self.shown(ours, channel)
        assert words in text
        assert "Slack has never called" in text

    def test_another_secret(self, ours: World, channel: Channel) -> None:
        assert click(channel, ours.tenant.slug, secret="f" * 16) == 401
        assert "The last call: refused: signed with another secret" in self.shown(ours, channel)

    def test_no_secret(self, ours: World, channel: Channel) -> None:
        bare = make_channel(ours, "bare")
        assert click(bare, ours.tenant.slug) == 401
        text = self.shown(ours, bare)
        assert "There is no signing secret, so messages have no buttons" in text
        assert "this channel has no signing secret" in text

    def test_a_clock_that_is_wrong(self, ours: World, channel: Channel) -> None:
        assert click(channel, ours.tenant.slug, at=time.time() - 400) == 401
        assert "older than five minutes, or the clocks differ" in self.shown(ours, channel)

    def test_the_same_call_twice(self, ours: World, channel: Channel) -> None:
        body, headers = interaction(SECRET, {"type": "block_actions", "user": {"id": "U1"}, "actions": [{}]})
        assert [send(channel, ours.tenant.slug, body, headers) for _ in range(2)] == [200, 401]
        assert "the same call came before" in self.shown(ours, channel)

    def test_a_call_without_signature(self, ours: World, channel: Channel) -> None:
        body, headers = interaction(SECRET, {"type": "block_actions", "user": {"id": "U1"}, "actions": [{}]})
        headers.pop("X-Slack-Signature")
        assert send(channel, ours.tenant.slug, body, headers) == 401
        assert "not signed, so not from Slack" in self.shown(ours, channel)

    def test_somebody_who_is_not_linked(self, ours: World, channel: Channel) -> None:
        assert click(channel, ours.tenant.slug) == 200
        text = self.shown(ours, channel)
        assert "No Slack user is linked yet" in text
        assert "the Slack user is not linked to a member" in text

    def test_a_role_that_may_not(self, ours: World, channel: Channel) -> None:
        link(ours, channel, "viewer")
        with tenant_context(ours.tenant.pk):
            group = str(ours.rows[AlertGroup].pk)
        assert click(channel, ours.tenant.slug, group=group) == 200
        text = self.shown(ours, channel)
        assert "Linked Slack users: 1." in text
        assert "role does not allow it" in text

    def test_a_group_that_is_gone(self, ours: World, channel: Channel) -> None:
        link(ours, channel)
        click(channel, ours.tenant.slug)
        assert "the group is gone" in self.shown(ours, channel)

    def test_a_button_of_another_channel(self, ours: World, channel: Channel) -> None:
        link(ours, channel)
        other = make_channel(ours, "other", signing_secret=SECRET)
        click(channel, ours.tenant.slug, value=Signer(str(other.pk), str(uuid4()))("acknowledge"))
        assert "the button was not made here for this channel" in self.shown(ours, channel)

    def test_a_channel_that_is_switched_off(self, ours: World, channel: Channel) -> None:
        with tenant_context(ours.tenant.pk):
            Channel.objects.filter(pk=channel.pk).update(is_active=False)
        click(channel, ours.tenant.slug)
        text = self.shown(ours, channel)
        assert "The channel is switched off, so its buttons do nothing." in text
        assert "the channel is switched off" in text
