"""A schedule and a policy made in a browser: cards in, a calendar out, and who would be called."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from alerting.models import EscalationPolicy, OnCallSchedule, Route
from tenants.context import tenant_context
from tenants.models import Tenant, User
from tests.browser.conftest import SignIn
from tests.factories import make_member

pytestmark = pytest.mark.browser


def save(page: Page) -> None:
    page.click("button[name=_save], input[name=_save]")


def add_layer(page: Page, name: str, *people: str) -> Locator:
    """Put a card on the form; return it."""
    page.get_by_role("button", name="Add a layer").click()
    card = page.locator(".al-layer").last
    card.get_by_label("name of the layer").fill(name)
    for person in people:
        card.get_by_label("add a person").select_option(label=person)
    card.get_by_label("first turn from").fill("2026-01-05")
    return card


def test_a_schedule_is_made_of_cards_and_drawn(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    rita = make_member(tenant, "responder", "rita")
    sign_in("olga")
    page.goto("/admin/alerting/oncallschedule/add/")
    page.fill("[name=name]", "Encoders")
    week = add_layer(page, "Week", "olga", "rita")
    week.get_by_label("rita: earlier").click()
    expect(week.locator(".al-layer-person").first).to_contain_text("1. rita")
    expect(week).to_contain_text("Monday")
    week.get_by_role("button", name="add times of day").click()
    week.get_by_label("from", exact=True).fill("07:00")
    week.locator(".al-layer-day", has_text="Fri").click()
    night = add_layer(page, "Night", "olga")
    night.get_by_label("hours, days or weeks").select_option("daily")
    night.get_by_label("how many").fill("2")
    night.get_by_label("hand-over at").fill("22:00")
    drawn = page.locator("#layers-preview .al-strip")
    expect(drawn).to_have_count(4)
    night.get_by_label("move the layer up").click()
    expect(page.locator("#layers-preview .al-strip-name").nth(1)).to_have_text("Night")
    save(page)
    expect(page.get_by_text("was added successfully")).to_be_visible()
    with tenant_context(tenant.pk):
        schedule = OnCallSchedule.objects.get()
    assert [layer["name"] for layer in schedule.layers] == ["Night", "Week"]
    assert schedule.layers[0] | {"people": [], "starts_at": ""} == {
        "name": "Night", "people": [], "unit": "daily", "every": 2, "starts_at": "", "ends_at": None, "restrictions": []
    }  # fmt: skip
    assert schedule.layers[1]["people"] == [str(rita.pk), str(owner.pk)]
    assert schedule.layers[1]["restrictions"] == [{"start": "07:00:00", "end": "17:00:00", "weekdays": [0, 1, 2, 3]}]

    page.goto(f"/admin/alerting/oncallschedule/{schedule.pk}/change/")
    expect(page.locator(".al-layer")).to_have_count(2)
    names = set(page.locator(".al-strip-final .al-strip-bar").all_inner_texts())
    assert names == {"olga", "rita"}
    box = page.locator(".al-strips").first.bounding_box()
    assert box is not None
    assert box["width"] > 600
    page.get_by_role("button", name="edit as text").click()
    text = page.get_by_label("layers as text").last
    expect(text).to_have_value(re.compile("Week; weekly from 2026-01-05 09:00; rita, olga; only mon 07:00-17:00, tue"))
    save(page)
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    with tenant_context(tenant.pk):
        assert OnCallSchedule.objects.get().layers[0] == schedule.layers[0]


def test_the_feed_gets_another_address(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    with tenant_context(tenant.pk):
        schedule = OnCallSchedule.objects.create(name="Encoders")
    sign_in("olga")
    page.goto(f"/admin/alerting/oncallschedule/{schedule.pk}/change/")
    address = page.get_by_label("Calendar feed")
    before = address.input_value()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Renew the address").click()
    expect(page.get_by_text("the old one no longer works")).to_be_visible()
    expect(address).not_to_have_value(before)


def test_a_policy_calls_by_a_schedule(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    make_member(tenant, "responder", "rita")
    layer = {"name": "All", "people": [str(owner.pk)], "unit": "weekly", "starts_at": "2026-01-05T09:00:00"}
    with tenant_context(tenant.pk):
        OnCallSchedule.objects.create(name="Encoders", layers=[layer])
    sign_in("olga")
    page.goto("/admin/alerting/escalationpolicy/add/")
    page.fill("[name=name]", "Call us")
    first = page.locator(".al-level")
    first.get_by_label("wait").fill("0s")
    first.get_by_label("whom to tell").select_option(label="Encoders")
    page.get_by_role("button", name="Add a level").click()
    second = page.locator(".al-level").nth(1)
    second.get_by_label("wait").fill("5m")
    second.get_by_label("whom to tell").select_option(label="rita")
    save(page)
    expect(page.get_by_text("was added successfully")).to_be_visible()
    with tenant_context(tenant.pk):
        Route.objects.create(name="root", policy=EscalationPolicy.objects.get())
    page.goto("/admin/who/")
    page.fill("[name=labels]", 'alertname="DiskFull"')
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Call us · 2")).to_be_visible()
    expect(page.get_by_text("without a verified contact").first).to_be_visible()
