"""A schedule and a policy made in a browser: lines in, a calendar out, and who would be called."""

import pytest
from playwright.sync_api import Page, expect

from alerting.models import EscalationPolicy, OnCallSchedule, Route
from tenants.context import tenant_context
from tenants.models import Tenant, User
from tests.browser.conftest import SignIn
from tests.factories import make_member

pytestmark = pytest.mark.browser


def save(page: Page) -> None:
    page.click("button[name=_save], input[name=_save]")


def test_a_schedule_is_drawn_and_a_policy_calls_by_it(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    make_member(tenant, "responder", "rita")
    sign_in("olga")
    page.goto("/admin/alerting/oncallschedule/add/")
    page.fill("[name=name]", "Encoders")
    layers = "All; weekly from 2026-01-05 09:00; olga, rita; only mon-fri 07:00-23:00"
    page.fill("[name=lines]", f"{layers}\nNights; daily from 2026-01-05 22:00; rita, olga; only 22:00-06:00")
    save(page)
    expect(page.get_by_text("was added successfully")).to_be_visible()
    with tenant_context(tenant.pk):
        schedule = OnCallSchedule.objects.get()
    page.goto(f"/admin/alerting/oncallschedule/{schedule.pk}/change/")
    final = page.locator(".al-strip-final")
    expect(final.locator(".al-strip-bar").first).to_be_visible()
    names = set(final.locator(".al-strip-bar").all_inner_texts())
    assert {"olga", "rita", "nobody"} <= names
    box = page.locator(".al-strips").bounding_box()
    assert box is not None
    assert box["width"] > 600

    page.goto("/admin/alerting/escalationpolicy/add/")
    page.fill("[name=name]", "Call us")
    page.fill("[name=lines]", "0m; schedule: Encoders\n5m; member: somebody")
    save(page)
    expect(page.get_by_text("There is no member “somebody” here")).to_be_visible()
    page.fill("[name=lines]", "0m; schedule: Encoders\n5m; member: rita")
    save(page)
    expect(page.get_by_text("was added successfully")).to_be_visible()
    with tenant_context(tenant.pk):
        Route.objects.create(name="root", policy=EscalationPolicy.objects.get())
    page.goto("/admin/who/")
    page.fill("[name=labels]", 'alertname="DiskFull"')
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Call us · 2")).to_be_visible()
    expect(page.get_by_text("without a verified contact").first).to_be_visible()
