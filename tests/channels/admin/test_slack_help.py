"""The page that says why a button in Slack does nothing."""

import json
from typing import Any

from django.urls import reverse

from channels.models import CallbackCall, Channel
from tenants.context import tenant_context
from tests.alerting.admin.world import World


def make_channel(world: World, **credentials: str) -> Channel:
    with tenant_context(world.tenant.pk):
        secrets = json.dumps({"token": "xoxb-test", **credentials})
        return Channel.objects.create(name="team", kind="slack", settings={"channel": "#a"}, credentials=secrets)


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
