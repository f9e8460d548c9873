"""A real Prometheus, Debian's, remote-writes what it scrapes; a threshold fires on it, and Slack hears of it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.up import prometheus
from tests import servers
from tests.factories import make_key
from tests.fakes.http import FakeServer, Reply, Request
from tests.flows.house import House
from tests.stack import Part, Stack, wait_for

PROGRAM = prometheus.find()
pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAM is None,
        reason="Debian's package prometheus is not installed here: no real Prometheus was tried from scrape to Slack.",
    ),
]

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{target}"]}}]
remote_write:
  - url: {url}/api/v1/metrics/remote-write
    authorization: {{type: Api-Key, credentials: "{token}"}}
    queue_config: {{batch_send_deadline: 1s}}
"""


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
        config = stack.folder / f"prometheus-{house.word}.yml"
        config.write_text(CONFIG.format(target=target.port, url=stack.url, token=token))
        command = [str(PROGRAM), f"--config.file={config}", f"--storage.tsdb.path={stack.folder / house.word}"]
        scraper = stack.part("scraper", [*command, f"--web.listen-address=127.0.0.1:{servers.free_port()}"])
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
