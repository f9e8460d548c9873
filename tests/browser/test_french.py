"""Somebody who reads French sees French: the overview, a group with its timeline, and the schedule's calendar."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from alerting.duties import drain_intake
from alerting.models import AlertGroup, OnCallSchedule, Route, RouteChannel
from channels.models import Channel
from tenants.context import tenant_context
from tenants.models import Tenant, User
from tests.browser.conftest import SignIn
from tests.browser.test_admin import send_alert
from tests.factories import make_key, make_member

pytestmark = pytest.mark.browser

POLICY = "/admin/alerting/escalationpolicy/add/"
#: English words of these pages that French does not share.
ENGLISH = ("Overview", "Alert groups", "Silences and", "Acknowledge", "Explain", "What happened", "Who was told")
ENGLISH_TOO = ("First message", "Group opened", "Alert fired", "minutes ago", "On call", "Save", "Change tenant")
ENGLISH_LEVELS = ("Add a level", "then tell", "as they wish", "nobody chosen", "tell somebody")


@pytest.fixture
def reader(tenant: Tenant) -> User:
    user = make_member(tenant, "owner", "claire")
    User.objects.filter(pk=user.pk).update(locale="fr")
    return user


def assert_french(page: Page) -> None:
    assert page.locator("html").get_attribute("lang") == "fr"
    shown = page.locator("body").inner_text()
    assert [word for word in (*ENGLISH, *ENGLISH_TOO, *ENGLISH_LEVELS) if word in shown] == []


def test_a_french_reader_sees_french(
    page: Page, sign_in: SignIn, reader: User, owner: User, tenant: Tenant, address: str
) -> None:
    with tenant_context(tenant.pk):
        channel = Channel.objects.create(name="Veille", kind="webhook", settings={"url": f"{address}/nowhere"})
        route = Route.objects.create(name="Tout", group_wait=timedelta(0))
        RouteChannel.objects.create(route=route, channel=channel)
        layer = {"name": "Semaine", "people": [str(owner.pk)], "unit": "weekly", "starts_at": "2026-01-05T09:00:00"}
        schedule = OnCallSchedule.objects.create(name="Encodeurs", layers=[layer])
    send_alert(address, make_key(tenant), alertname="EncoderFull", service="stream")
    drain_intake(tenant.pk)

    sign_in("claire")
    expect(page.get_by_role("link", name="Groupes d’alertes")).to_be_visible()
    assert_french(page)
    page.locator("#overview").get_by_text("EncoderFull").first.click()
    expect(page.get_by_role("button", name="Prendre en charge", exact=True)).to_be_visible()
    assert_french(page)
    page.get_by_role("button", name="Prendre en charge", exact=True).click()
    expect(page.get_by_text("par claire")).to_be_visible()
    assert_french(page)
    with tenant_context(tenant.pk):
        assert AlertGroup.objects.get().acknowledged_by == "claire"
    page.goto(f"/admin/alerting/oncallschedule/{schedule.pk}/change/")
    expect(page.locator(".al-strip-final .al-strip-bar").first).to_have_text("olga")
    assert_french(page)
    for path in (
        "/admin/who/",
        "/admin/alerting/route/",
        "/admin/alerting/oncallschedule/add/",
        "/admin/nowhere/",
        POLICY,
    ):
        page.goto(path)
        assert_french(page)
