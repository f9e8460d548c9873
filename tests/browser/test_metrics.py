"""Metric sources and the catalogue, as a person sets them up."""

import os
from concurrent.futures import ThreadPoolExecutor

from django.db import connections
from playwright.sync_api import Page, expect

from metrics.collecting import collect_shard
from metrics.models import MetricChoice, Source
from tenants.context import tenant_context
from tenants.models import Tenant, User
from tests.browser.conftest import SignIn
from tests.fakes.http import FakeServer, Reply
from tests.metrics.collecting.making import make_due

BODY = b'{"queues": [{"name": "royalties", "depth": 42}, {"name": "ingest", "depth": 7}]}'


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("BROWSER_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def collect(tenant: Tenant) -> None:
    """Ask what is due, in a thread: playwright keeps an event loop in this one."""

    def run() -> None:
        try:
            with tenant_context(tenant.pk):
                sources = list(Source.objects.all())
            make_due(*sources)
            assert collect_shard() == len(sources)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(run).result(60)


def test_a_source_is_tried_before_it_is_saved(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    with FakeServer(lambda request: Reply(body=BODY)) as server:
        sign_in("olga")
        page.goto("/admin/metrics/source/add/")
        page.select_option("[name=kind]", "json")
        expect(page.locator("[name=settings__sql__host]")).to_be_hidden()
        page.fill("[name=settings__json__url]", f"{server.url}/queues")
        page.fill("[name=settings__json__items]", "queues[]")
        page.fill("[name=settings__json__values]", "depth = depth")
        page.fill("[name=settings__json__labels]", "queue = name")
        page.get_by_role("button", name="Try it now").click()
        trial = page.locator("#trial")
        expect(trial).to_contain_text("2 values in 2 series")
        expect(trial).to_contain_text("royalties")
        picture(page, "source-tried")
        with tenant_context(tenant.pk):
            assert not Source.objects.exists()
        page.fill("[name=name]", "Queues")
        page.click("[name=_save]")
        page.wait_for_url("**/admin/metrics/source/")
        collect(tenant)
        page.get_by_role("link", name="Queues").first.click()
        expect(page.locator(".al-head")).to_contain_text("healthy")
        page.get_by_text("Last values").click()
        expect(page.locator("details.al-samples")).to_contain_text("royalties")
        picture(page, "source-state")
        page.go_back()
    expect(page.locator("#result_list, .result-list")).to_contain_text("Queues")
    picture(page, "source-list")
    with tenant_context(tenant.pk):
        assert Source.objects.get().settings["labels"] == {"queue": "name"}


def test_a_metric_of_the_catalogue_is_switched_on(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    sign_in("olga")
    page.goto("/admin/metrics/metricchoice/")
    line = page.locator("li[id='technical.latency']")
    expect(line).to_contain_text("Latency")
    line.get_by_role("button", name="Switch on").click()
    expect(page.locator("li[id='technical.latency']")).to_contain_text("4 thresholds")
    picture(page, "catalogue")
    page.locator("li[id='technical.latency']").get_by_role("link", name="Change").click()
    page.fill("[name=metric]", "api_seconds")
    picture(page, "catalogue-change")
    page.click("[name=_save]")
    expect(page.locator("li[id='technical.latency']")).to_contain_text("api_seconds")
    with tenant_context(tenant.pk):
        assert MetricChoice.objects.get().metric == "api_seconds"
