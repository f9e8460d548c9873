"""The inbox of the development environment in a browser: Slack's buttons do there what they do in Slack."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from alerting.duties import deliver, drain_intake, flush_groups
from alerting.models import AlertGroup, Route, RouteChannel
from channels.models import Channel, ChannelIdentity
from config.inbox.doors import Doors
from config.inbox.slack_player import USER, signing_secret
from config.inbox.store import Inbox
from tenants.context import tenant_context
from tenants.models import Tenant, User
from tests.browser.conftest import SignIn
from tests.browser.test_admin import send_alert
from tests.factories import make_key
from tests.fakes.http import FakeServer, Reply, Request

pytestmark = pytest.mark.browser


@dataclass
class Desk:
    """The inbox's page, and how to let the service do what its processes would."""

    url: str
    tenant: Tenant

    def work(self) -> None:
        """Drain, flush and deliver until nothing waits."""
        drain_intake(self.tenant.pk)
        flush_groups(self.tenant.pk)
        deliver(self.tenant.pk)


@pytest.fixture
def desk(address: str, owner: User, tenant: Tenant, settings: Any) -> Iterator[Desk]:
    """Serve the inbox, and tell it of every alert of the tenant by Slack."""
    doors: list[Doors] = []

    def answer(request: Request) -> Reply:
        return doors[0](request)

    with FakeServer(answer) as server:
        doors.append(Doors(Inbox(), [], server.url))
        settings.PUBLIC_BASE_URL = address
        settings.SLACK_API_BASE_URL = f"{server.url}/slack/api/"
        with tenant_context(tenant.pk):
            _tell_slack(owner)
        yield Desk(server.url, tenant)


def _tell_slack(person: User) -> None:
    credentials = {"token": "xoxb-inbox", "signing_secret": signing_secret()}
    channel = Channel.objects.create(
        name="Slack", kind="slack", settings={"channel": "#alerts"}, credentials=json.dumps(credentials)
    )
    ChannelIdentity.objects.create(channel=channel, external_id=USER["id"], user=person)
    route = Route.objects.create(name="Everything", group_wait=timedelta(0))
    RouteChannel.objects.create(route=route, channel=channel)


def test_slack_s_button_acknowledges_the_group(
    page: Page, sign_in: SignIn, address: str, desk: Desk, tenant: Tenant
) -> None:
    send_alert(address, make_key(tenant), alertname="EncoderFull", service="stream")
    desk.work()
    page.goto(desk.url)
    message = page.locator("article.slack")
    expect(message).to_contain_text("EncoderFull")
    message.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Acknowledged.")
    with tenant_context(tenant.pk):
        group = AlertGroup.objects.get()
    assert (group.status, group.acknowledged_by) == ("acknowledged", "olga (Slack)")

    desk.work()
    page.goto(desk.url)
    expect(page.get_by_role("button", name="Take back acknowledgement")).to_be_visible()
    expect(page.get_by_text("has acknowledged it").first).to_be_visible()
    sign_in("olga")
    page.goto(f"/admin/alerting/alertgroup/{group.pk}/change/")
    expect(page.get_by_text("olga (Slack)").first).to_be_visible()
