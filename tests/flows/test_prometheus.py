"""A real Prometheus, Debian's, remote-writes what it scrapes; a threshold fires on it, and Slack hears of it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.factories import make_key
from tests.fakes.http import FakeServer, Reply, Request
from tests.flows.house import House
from tests.real_prometheus import NEEDED, command
from tests.stack import Part, Stack, wait_for

pytestmark = NEEDED


@dataclass
class Shop:
    """A service with one gauge, as its exposition endpoint tells it."""

    depth: float = 3
    scrapes: int = field(default=0)

    def __call__(self, request: Request) -> Reply:
        self.scrapes += 1
        text = f'# TYPE order_queue_depth gauge\norder_queue_depth{{service="orders"}} {self.depth}\n'
        return Reply(200, text.encode(), {"Content-Type": "text/plain; version=0.0.4"})


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def scraped(stack: Stack, house: House, shop: Shop) -> Iterator[Part]:
    """Prometheus scraping the shop, and a beat that has the service look every few seconds."""
    token = make_key(house.tenant, scopes=["metrics:write"])
    beat = [str(Path(sys.executable).with_name("celery")), "--quiet", "-A", "config", "beat", "--pidfile="]
    clock = stack.part("beat", [*beat, "-s", str(stack.folder / f"beat-{house.word}")])
    with FakeServer(shop) as target:
        line = command(stack.folder / house.word, job="shop", target=target.port, url=stack.url, token=token)
        scraper = stack.part("scraper", line)
        try:
            clock.start()
            yield scraper.start()
        finally:
            scraper.kill()
            clock.kill()


def test_from_a_scrape_to_slack_and_back(house: House, scraped: Part, shop: Shop) -> None:
    house.post(
        "thresholds",
        {"name": "Orders wait", "metric": "order_queue_depth", "settings": {"above": 100}, "severity": "critical"},
    )
    wait_for(lambda: house.get("series?metric=order_queue_depth")["results"], 60, scraped.said()[-1_500:])
    assert not house.slack()
    shop.depth = 250
    wait_for(lambda: house.get("findings")["results"], 90, "a finding")
    house.arrives(lambda: house.slack("too high"), lambda: house.mails("250"), seconds=60)
    finding = house.get("findings")["results"][0]
    assert (finding["value"], finding["labels"]["service"]) == (250, "orders")
    shop.depth = 3
    wait_for(lambda: house.get("findings")["results"][0]["ended_at"], 90, "the finding's end")
    wait_for(lambda: house.group("Orders wait")["status"] == "resolved", 60, "the group's end")
    house.arrives(lambda: [one for one in house.hooks() if one["data"]["status"] == "resolved"], seconds=60)
