"""The editor of message templates: what a reader gets is shown while it is written, and faults with their line."""

import pytest
from playwright.sync_api import Page, expect

from channels.models import MessageTemplate
from tenants.context import tenant_context
from tenants.models import Tenant, User
from tests.browser.conftest import SignIn

pytestmark = pytest.mark.browser


def test_the_preview_follows_what_is_typed(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    sign_in("olga")
    page.goto("/admin/channels/messagetemplate/add/")
    page.fill("[name=name]", "Ours")
    page.select_option("[name=kind]", "slack")
    preview = page.locator("#template-preview")
    expect(preview).to_contain_text("Disk almost full")
    title = page.locator("[name=part__slack__title]")
    title.press_sequentially("Wake up: {{ title }}")
    expect(preview).to_contain_text("Wake up: Disk almost full")
    title.press_sequentially(" {% if %}")
    expect(preview).to_contain_text("Line 1:")
    expect(preview).to_contain_text("Readers would get the built-in text")
    title.fill("Wake up: {{ title }}")
    expect(preview).not_to_contain_text("Line 1:")
    page.click("button[name=_save], input[name=_save]")
    expect(page.get_by_text("was added successfully")).to_be_visible()
    with tenant_context(tenant.pk):
        kept = MessageTemplate.objects.get()
    assert kept.parts == {"title": "Wake up: {{ title }}"}
    page.goto(f"/admin/channels/messagetemplate/{kept.pk}/change/")
    expect(preview).to_contain_text("Wake up: Disk almost full")


def test_a_layout_for_slack_is_drawn_and_says_what_renders_empty(
    page: Page, sign_in: SignIn, owner: User, tenant: Tenant
) -> None:
    sign_in("olga")
    page.goto("/admin/channels/messagetemplate/add/")
    page.fill("[name=name]", "Laid out")
    page.select_option("[name=kind]", "slack")
    page.fill(
        "[name=part__slack__blocks]",
        "{{ header() }}\n*{{ status_title|upper }}* in `{{ labels.cluster }}`, {{ headlin }}\n"
        "{{ section(annotations.description) }}{{ divider() }}{{ fields(labels) }}\n"
        "{{ context(tenant.name, counts.text) }}{{ actions() }}{{ link_buttons() }}",
    )
    drawing = page.frame_locator("#template-preview iframe").first
    expect(drawing.locator("h2")).to_contain_text("Disk almost full")
    expect(drawing.locator("b", has_text="FIRING")).to_be_visible()
    expect(drawing.locator(".button", has_text="Acknowledge")).to_be_visible()
    expect(page.locator("#template-preview")).to_contain_text("Is headline meant?")
    page.click("button[name=_save], input[name=_save]")
    expect(page.get_by_text("Is headline meant?")).to_be_visible()
