"""The main job in a browser: make a channel and a route, send an alert, see it, explain it, acknowledge it."""

import json
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from alerting.duties import drain_intake
from alerting.models import AlertGroup, Route, Silence
from channels.models import Channel
from tenants.context import tenant_context
from tenants.models import AuditEntry, Tenant, User
from tests.browser.conftest import SignIn
from tests.factories import make_key

pytestmark = pytest.mark.browser


def send_alert(address: str, token: str, **labels: str) -> None:
    body = {"labels": labels, "severity": "critical", "annotations": {"summary": "The encoder is full"}}
    request = urllib.request.Request(
        f"{address}/api/v1/alerts",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Api-Key {token}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 202


def save(page: Page) -> None:
    page.click("button[name=_save], input[name=_save]")


def test_from_an_empty_tenant_to_an_acknowledged_alert(
    page: Page, sign_in: SignIn, owner: User, tenant: Tenant, address: str
) -> None:
    sign_in("olga")

    page.goto("/admin/channels/channel/add/")
    page.fill("[name=name]", "On-call hook")
    page.select_option("[name=kind]", "webhook")
    expect(page.locator("[name=settings__slack__channel]")).to_be_hidden()
    page.fill("[name=settings__webhook__url]", f"{address}/nowhere")
    save(page)
    expect(page.get_by_text("was added successfully")).to_be_visible()

    page.goto("/admin/alerting/route/")
    page.get_by_text("Add the first route").click()
    page.fill("[name=name]", "Everything")
    page.get_by_label("On-call hook").check()
    save(page)
    page.goto("/admin/alerting/route/")
    page.get_by_text("add below").click()
    page.fill("[name=name]", "Urgent")
    page.get_by_role("button", name="Add a matcher").click()
    page.get_by_label("label", exact=True).fill("severity")
    page.get_by_label("value", exact=True).fill("critical")
    page.fill("[name=group_wait]", "0s")
    save(page)
    expect(page.locator(".al-node").nth(1)).to_contain_text("severity=critical")
    with tenant_context(tenant.pk):
        assert Route.objects.get(name="Urgent").matchers == [{"name": "severity", "op": "=", "value": "critical"}]
        assert Channel.objects.get().kind == "webhook"

    send_alert(address, make_key(tenant), alertname="EncoderFull", service="stream")
    drain_intake(tenant.pk)

    page.goto("/admin/")
    page.locator("#overview").get_by_text("EncoderFull").first.click()
    expect(page.get_by_text("The encoder is full")).to_be_visible()
    group_page = page.url
    explain(page)
    page.goto(group_page)
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(page.get_by_text("Acknowledged: nobody is reminded")).to_be_visible()
    with tenant_context(tenant.pk):
        group = AlertGroup.objects.get()
        assert (group.status, group.acknowledged_by) == ("acknowledged", "olga")
        assert AuditEntry.objects.filter(action="alertgroup.acknowledged", actor_label="olga").count() == 1


def explain(page: Page) -> None:
    page.get_by_role("link", name="Explain", exact=True).first.click()
    expect(page.locator("#content")).to_contain_text("Told: On-call hook")
    page.get_by_role("link", name="If it came now").click()
    expect(page.locator("#content")).to_contain_text("Urgent")


def test_a_silence_is_pasted_previewed_and_saved(
    page: Page, sign_in: SignIn, owner: User, tenant: Tenant, address: str
) -> None:
    send_alert(address, make_key(tenant), alertname="EncoderFull", service="stream")
    drain_intake(tenant.pk)
    sign_in("olga")
    page.goto("/admin/alerting/silence/add/")
    page.get_by_text("edit as text").click()
    page.locator(".al-builder textarea.al-code").fill('{service=~"stream|encoder"}')
    expect(page.locator("#silence-preview")).to_contain_text("EncoderFull")
    expect(page.locator("#silence-preview")).to_contain_text("firing now")
    page.fill("[name=comment]", "Known")
    save(page)
    with tenant_context(tenant.pk):
        assert Silence.objects.get().matchers == [{"name": "service", "op": "=~", "value": "stream|encoder"}]


def test_a_wrong_matcher_stays_in_the_form_with_its_reason(page: Page, sign_in: SignIn, owner: User) -> None:
    sign_in("olga")
    page.goto("/admin/alerting/groupingrule/add/")
    page.fill("[name=name]", "broken")
    page.get_by_role("button", name="Add a matcher").click()
    page.get_by_label("label", exact=True).fill("team")
    page.get_by_label("operator", exact=True).select_option("=~")
    page.get_by_label("value", exact=True).fill("(")
    save(page)
    expect(page.get_by_text("Row 1, value:", exact=False)).to_be_visible()
    expect(page.get_by_label("value", exact=True)).to_have_value("(")


def test_a_template_is_previewed_while_it_is_written(page: Page, sign_in: SignIn, owner: User) -> None:
    sign_in("olga")
    page.goto("/admin/channels/messagetemplate/add/")
    page.select_option("[name=kind]", "webhook")
    page.fill("[name=part__webhook__summary]", "Listen: {{ title }}")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#template-preview")).to_contain_text("Listen: Disk almost full")


@pytest.mark.parametrize("width", [400, 1280])
def test_no_page_is_wider_than_the_screen(width: int, page: Page, sign_in: SignIn, owner: User) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    sign_in("olga")
    for path in (
        "",
        "alerting/oncallschedule/add/",
        "alerting/alertgroup/",
        "alerting/route/",
        "channels/channel/add/",
        "alerting/silence/add/",
    ):
        page.goto(f"/admin/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
