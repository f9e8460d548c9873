"""A tenant's own phrase is typed, tried and heard; a reader agrees to be seen opening mails."""

import pytest
from playwright.sync_api import Page, expect

from channels.mail import links
from channels.models import Channel, MailConsent, PhraseOverride
from tenants.context import tenant_context
from tenants.models import Tenant, User
from tests.browser.conftest import SignIn

pytestmark = pytest.mark.browser


def test_a_phrase_is_tried_while_it_is_typed(page: Page, sign_in: SignIn, tenant: Tenant, owner: User) -> None:
    sign_in(owner.username)
    page.goto("/admin/channels/phraseoverride/add/")
    page.fill("[name=locale]", "fr")
    page.locator("[name=key]").evaluate(
        "one => { one.value = 'status.firing'; one.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    page.locator("[name=text]").press_sequentially("ça brûle")
    preview = page.locator("#phrase-preview")
    expect(preview).to_contain_text("en cours")
    expect(preview).to_contain_text("ÇA BRÛLE")
    page.locator("[name=text]").press_sequentially(" {who}")
    expect(preview.locator(".al-fault")).to_contain_text("who")
    page.fill("[name=text]", "ça brûle")
    expect(preview.locator(".al-fault")).to_have_count(0)
    expect(preview).to_contain_text("ÇA BRÛLE")
    page.locator("[name=_save]").first.click()
    page.wait_for_url("**/phraseoverride/")
    with tenant_context(tenant.pk):
        assert PhraseOverride.objects.get().text == "ça brûle"


def test_a_reader_agrees_and_takes_it_back(page: Page, tenant: Tenant) -> None:
    with tenant_context(tenant.pk):
        settings = {"host": "mail.example.com", "to": ["olga@example.com"], "from_address": "a@example.com"}
        channel = Channel.objects.create(name="mail", kind="email", settings=settings | {"track_opens": True})
    claim = links.Claim(tenant.slug, str(channel.pk), "", "olga@example.com")
    path = links.consent_url(claim).partition("/mail/")[2]
    page.goto(f"/mail/{path}")
    expect(page.locator("main")).to_contain_text("Only the time is kept")
    page.get_by_role("button", name="Yes, they may").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    with tenant_context(tenant.pk):
        assert MailConsent.objects.get().address == "olga@example.com"
    page.goto(f"/mail/{path}")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("status")).to_contain_text("deleted")
    with tenant_context(tenant.pk):
        assert not MailConsent.objects.exists()
