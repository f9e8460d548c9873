"""A threshold tried on the past in a browser, and a verdict on what was found."""

import re
from datetime import timedelta

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from metrics.judging.engine import judge
from metrics.judging.fitting import fit_some
from metrics.models import Feedback, Threshold
from tenants.context import tenant_context
from tenants.models import Tenant, User
from tests.browser.conftest import SignIn
from tests.metrics.judging.world import World

pytestmark = pytest.mark.browser


def seen(tenant: Tenant) -> World:
    """A tenant with three days of latencies, a learned and a fixed threshold, and a finding of each."""
    world = World(tenant)
    world.threshold("Slow", metric="latency", settings={"above": 200, "clear_above": 180}, hold=timedelta(minutes=2))
    world.threshold("Unusual", metric="latency", kind="adaptive", settings={"method": "band"}, paging="earned")
    draw, minutes = np.random.default_rng(5), 3 * 1_440
    calm = 120 + 30 * np.sin(np.arange(minutes) / 1_440 * 2 * np.pi) + draw.normal(0, 4, minutes)
    calm[1_000:1_010] = 230
    world.store(*calm, start=-minutes, metric="latency", service="shop")
    judge(tenant.pk)
    assert fit_some(tenant.pk) == 1
    world.feed(*[120.0] * 5, *[900.0] * 6, *[121.0] * 10, metric="latency", service="shop")
    return world


def test_a_threshold_is_tried_on_the_past(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    world = seen(tenant)
    with world.context():
        slow = Threshold.objects.get(name="Slow")
    sign_in("olga")
    page.goto(f"/admin/metrics/threshold/{slow.pk}/change/")
    expect(page.get_by_text("Alerts in 30 days")).to_be_visible()
    page.get_by_role("link", name="Try it on the past").click()
    rows = page.locator("table.al-table tbody tr")
    expect(rows.filter(has_text="as it is")).to_contain_text("2")
    page.fill("[name=settings]", '{"above": 250}')
    page.get_by_role("button", name="Try it on the past").click()
    expect(rows.filter(has_text="as changed")).to_contain_text("1")
    expect(rows.filter(has_text="as it was")).to_contain_text("1")
    expect(page.locator("canvas.al-canvas")).to_be_visible()
    with world.context():
        assert Threshold.objects.get(name="Slow").settings == {"above": 200, "clear_above": 180}


def test_a_finding_says_why_and_takes_a_verdict(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    seen(tenant)
    sign_in("olga")
    page.goto("/admin/metrics/finding/")
    page.get_by_role("link", name=re.compile("latency .* usual are")).click()
    expect(page.get_by_text("only shown: its precision is not proven yet")).to_be_visible()
    expect(page.get_by_text("distance from the band")).to_be_visible()
    expect(page.locator("canvas.al-canvas")).to_be_visible()
    page.get_by_role("button", name="Useful").click()
    expect(page.locator(".al-chip", has_text="useful")).to_be_visible()
    with tenant_context(tenant.pk):
        assert Feedback.objects.get().verdict == "useful"


def test_settings_of_a_kind_are_explained(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    sign_in("olga")
    page.goto("/admin/metrics/threshold/add/")
    page.fill("[name=name]", "Disk")
    page.fill("[name=metric]", "disk_used_percent")
    page.locator("#id_kind").select_option("forecast", force=True)
    expect(page.locator(".al-step-help")).to_contain_text("as sure as")
    page.get_by_role("button", name="Use this example").click()
    page.click("button[name=_save], input[name=_save]")
    expect(page.get_by_text("was added successfully")).to_be_visible()
    with tenant_context(tenant.pk):
        assert Threshold.objects.get().settings["horizon"] == 86_400
