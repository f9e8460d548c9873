"""Several metrics of one service judged together, in a browser: configured, found and explained."""

import pytest
from playwright.sync_api import Page, expect

from metrics.entities.fitting import fit_tenant
from metrics.models import Threshold
from tenants.models import Tenant, User
from tests.browser.conftest import SignIn
from tests.metrics.entities.test_entities import PAST, apart, feed
from tests.metrics.judging.world import World

pytestmark = pytest.mark.browser


def test_what_does_not_fit_together_is_shown(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    world = World(tenant)
    feed(world, PAST, start=-PAST)
    sign_in("olga")
    page.goto("/admin/metrics/threshold/add/")
    page.fill("[name=name]", "Shop together")
    page.select_option("[name=kind]", "entity")
    page.fill("[name=settings]", '{"metrics": ["cpu", "latency", "requests"], "on": ["service"]}')
    page.get_by_role("button", name="Save", exact=True).click()
    with world.context():
        assert Threshold.objects.get(name="Shop together").kind == "entity"
    assert fit_tenant(tenant.pk) == 1
    apart(world, 0)
    page.goto("/admin/metrics/finding/")
    page.get_by_role("link", name="do not fit together as usual").click()
    expect(page.locator("h1").last).to_contain_text("cpu 65 (usually")
    # One panel for each of the strongest metrics, by its name.
    expect(page.locator("canvas.al-canvas")).to_have_count(2)
    expect(page.locator("canvas.al-canvas").first).to_be_visible()
    expect(page.get_by_label("cpu{host=a, service=shop}")).to_be_visible()
    expect(page.locator("dl.al-facts")).to_contain_text(["Strongest features"])
