"""A series in a browser: found in the list, its chart drawn, and what was wrong with its samples."""

import math
import time

import pytest
from playwright.sync_api import Page, expect

from tenants.models import Tenant, User
from tests.browser.conftest import SignIn
from tests.metrics.house import points, send

pytestmark = pytest.mark.browser


def test_a_series_is_drawn_with_what_was_wrong(page: Page, sign_in: SignIn, owner: User, tenant: Tenant) -> None:
    begin = time.time() // 60 * 60 - 20 * 3_600
    wave = [(begin + 60 * place, 0.3 + 0.1 * math.sin(place / 90) + (place * 37 % 11) / 200) for place in range(1_200)]
    send(
        tenant, points([*wave, (begin + 60, 9.0), (begin + 90, float("nan"))], "skip_rate", "ratio", region="eu-west-1")
    )
    sign_in("olga")
    page.locator("a[href$='/metrics/series/']").first.click()
    expect(page.locator("#result_list")).to_contain_text("skip_rate")
    page.get_by_role("link", name="skip_rate").click()
    expect(page.get_by_text("another value was there first")).to_be_visible()
    expect(page.get_by_text("not a number")).to_be_visible()
    expect(page.get_by_text("samples in this range")).to_be_visible()
    drawn = (
        "canvas => Chart.getChart(canvas).data.datasets.map(line => line.data.filter(value => value !== null).length)"
    )
    counts = page.locator("canvas.al-canvas").evaluate(drawn)
    assert counts == [counts[0]] * 3
    assert counts[0] >= 240
    page.get_by_role("link", name="3h", exact=True).click()
    page.wait_for_url("**?range=3h")
    assert page.locator("canvas.al-canvas").evaluate(drawn)[0] >= 170
    page.get_by_role("link", name="1d", exact=True).click()
    page.wait_for_url("**?range=1d")
