"""The levels of a policy in a browser: by keyboard alone, with faults beside their controls, and without scripts."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from alerting.models import EscalationPolicy, OnCallSchedule
from tenants.context import tenant_context
from tenants.models import Tenant, User
from tests.browser.conftest import SignIn
from tests.factories import PASSWORD, make_member

pytestmark = pytest.mark.browser

ADD = "/admin/alerting/escalationpolicy/add/"


@pytest.fixture
def people(tenant: Tenant, owner: User) -> dict[str, User]:
    """Members, and a schedule to name."""
    with tenant_context(tenant.pk):
        OnCallSchedule.objects.create(name="Encoders")
    return {"olga": owner, "rita": make_member(tenant, "responder", "rita")}


def stored(tenant: Tenant) -> list[tuple[int, list[tuple[str, str]]]]:
    with tenant_context(tenant.pk):
        levels = EscalationPolicy.objects.get().levels
    return [(one["wait"], [(whom["kind"], whom["via"]) for whom in one["targets"]]) for one in levels]


def choose(card: Locator, place: int, name: str, way: str = "") -> None:
    """Choose the target of a level by its name."""
    card.get_by_label("whom to tell").nth(place).select_option(label=name)
    if way:
        card.get_by_label("on what").nth(place).select_option(label=way)


def press(page: Page, name: str) -> None:
    """Go to a button as the keyboard does, and press it."""
    page.get_by_role("button", name=name).last.focus()
    page.keyboard.press("Enter")


@pytest.mark.usefixtures("people")
def test_levels_are_added_moved_and_removed_by_keyboard(page: Page, sign_in: SignIn, tenant: Tenant) -> None:
    sign_in("olga")
    page.goto(ADD)
    page.fill("[name=name]", "Call us")
    cards = page.locator(".al-level")
    expect(cards).to_have_count(1)
    expect(page.get_by_label("place")).to_be_hidden()
    cards.nth(0).get_by_label("wait").fill("10m")
    choose(cards.nth(0), 0, "olga", "by SMS")
    press(page, "Add a level")
    expect(cards.nth(1).get_by_label("wait")).to_be_focused()
    page.keyboard.type("0s")
    choose(cards.nth(1), 0, "Encoders")
    press(page, "tell somebody else too")
    expect(cards.nth(1).get_by_label("whom to tell").nth(1)).to_be_focused()
    choose(cards.nth(1), 1, "rita")
    press(page, "move the level up")
    expect(cards.nth(0).get_by_label("wait")).to_have_value("0s")
    expect(cards.nth(0)).to_contain_text("Level 1")
    expect(cards.nth(0).get_by_role("button", name="move the level down")).to_be_focused()
    expect(cards.nth(1)).to_contain_text("in all, after the group was told: 10m")
    press(page, "Add a level")
    press(page, "remove the level")
    expect(cards.nth(1).get_by_label("wait")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert stored(tenant) == [(0, [("schedule", ""), ("member", "")]), (600, [("member", "sms")])]


@pytest.mark.usefixtures("people")
def test_a_fault_stands_beside_its_control_and_what_was_written_stays(
    page: Page, sign_in: SignIn, tenant: Tenant
) -> None:
    sign_in("olga")
    page.goto(ADD)
    page.fill("[name=name]", "Call us")
    choose(page.locator(".al-level").nth(0), 0, "rita", "by SMS")
    press(page, "Add a level")
    page.keyboard.type("soon")
    choose(page.locator(".al-level").nth(1), 0, "Encoders")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Mend what is marked: level 1, 2.")).to_be_visible()
    cards = page.locator(".al-level")
    expect(cards).to_have_count(2)
    expect(cards.nth(0)).to_contain_text("Say how long to wait")
    expect(cards.nth(1)).to_contain_text("Write a duration such as")
    expect(cards.nth(1).get_by_label("wait")).to_have_attribute("aria-invalid", "true")
    expect(cards.nth(0).get_by_label("on what")).to_have_value("sms")
    cards.nth(0).get_by_label("wait").fill("0s")
    cards.nth(1).get_by_label("wait").fill("5m")
    page.keyboard.press("Enter")
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert stored(tenant) == [(0, [("member", "sms")]), (300, [("schedule", "")])]


@pytest.fixture
def plain(address: str, browser: Browser) -> Iterator[Page]:
    """Open a tab in which no script runs."""
    context = browser.new_context(base_url=address, java_script_enabled=False, viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    yield tab
    if os.environ.get("BROWSER_PICTURES"):
        tab.screenshot(path=f"{os.environ['BROWSER_PICTURES']}/no-scripts.png", full_page=True)
    context.close()


@pytest.mark.usefixtures("people")
def test_without_scripts_spare_rows_places_and_a_tick_do_the_same(plain: Page, tenant: Tenant) -> None:
    plain.goto(ADD)
    plain.fill("[name=username]", "olga")
    plain.fill("[name=password]", PASSWORD)
    plain.click("#login-form button[type=submit]")
    plain.goto(ADD)
    plain.fill("[name=name]", "Call us")
    cards = plain.locator(".al-level")
    expect(cards).to_have_count(2)
    expect(plain.get_by_role("button", name="Add a level")).to_be_hidden()
    for card, wait, name in ((cards.nth(0), "5m", "rita"), (cards.nth(1), "0s", "Encoders")):
        card.get_by_label("wait").fill(wait)
        choose(card, 0, name)
    plain.click("button[name=_continue], input[name=_continue]")
    expect(cards).to_have_count(4)
    cards.nth(1).get_by_label("place").fill("1")
    cards.nth(2).get_by_label("wait").fill("1h")
    choose(cards.nth(2), 0, "olga")
    choose(cards.nth(1), 1, "olga", "by SMS")
    plain.click("button[name=_continue], input[name=_continue]")
    assert stored(tenant) == [
        (0, [("schedule", ""), ("member", "sms")]),
        (300, [("member", "")]),
        (3600, [("member", "")]),
    ]
    cards.nth(1).get_by_label("remove when saved").check()
    plain.click("button[name=_save], input[name=_save]")
    assert [wait for wait, _targets in stored(tenant)] == [0, 3600]
