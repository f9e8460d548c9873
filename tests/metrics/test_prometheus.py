"""A real Prometheus, Debian's, pushes what it scrapes from itself into the running service by remote write."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from config.up import prometheus
from metrics.models import Series
from metrics.storage import reading
from tenants.context import tenant_context
from tests import servers
from tests.conftest import COORDINATES, WORKER
from tests.factories import Api, make_api
from tests.stack import Part, Stack, wait_for, working_on

PROGRAM = prometheus.find()
pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAM is None,
        reason="Debian's package prometheus is not installed here: no real Prometheus was tried against the service.",
    ),
]

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: self
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
remote_write:
  - url: {url}/api/v1/metrics/remote-write
    authorization: {{type: Api-Key, credentials: "{token}"}}
    queue_config: {{batch_send_deadline: 1s}}
"""


@pytest.fixture(scope="module")
def stack(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    name = f"prometheus_{WORKER}"
    with servers.template_lock(COORDINATES) as connection:
        servers.recreate_database(connection, name, servers.TEMPLATE)
    address = COORDINATES.postgres.address("alerting_app", COORDINATES.app_password, name)
    tools = ("PYTEST_", "COV_", "COVERAGE_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(tools)} | {"DATABASE_URL": address}
    env.pop("MIGRATION_DATABASE_URL", None)
    running = Stack(env, Path(tmp_path_factory.mktemp("prometheus")))
    try:
        running.start()
        with django_db_blocker.unblock(), working_on(address):
            yield running
    finally:
        running.stop()
        with servers.template_lock(COORDINATES) as connection, connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def api(stack: Stack) -> Api:
    return make_api(scopes=["metrics:write"])


@pytest.fixture
def server(stack: Stack, api: Api) -> Iterator[Part]:
    port = servers.free_port()
    config = stack.folder / "prometheus.yml"
    config.write_text(CONFIG.format(port=port, url=stack.url, token=api.token))
    command = [str(PROGRAM), f"--config.file={config}", f"--storage.tsdb.path={stack.folder / 'tsdb'}"]
    part = stack.part("prometheus", [*command, f"--web.listen-address=127.0.0.1:{port}"]).start()
    try:
        yield part
    finally:
        part.kill()


def found(api: Api, metric: str) -> list[Series]:
    with tenant_context(api.tenant.pk):
        return list(Series.objects.filter(metric=metric))


def test_a_real_prometheus_writes_its_samples_into_the_service(server: Part, api: Api) -> None:
    wait_for(lambda: found(api, "up"), 60, f"no sample arrived: {server.said()[-1_500:]}")
    (up,) = found(api, "up")
    assert (up.labels["job"], up.kind) == ("self", "gauge")

    def values() -> Any:
        with tenant_context(api.tenant.pk):
            at, last = Series.objects.values_list("first_at", "last_at").get(pk=up.pk)
            begin, end = at.timestamp(), last.timestamp() + 1
            return reading.samples(api.tenant.pk, [up.number], begin, end).get(up.number, ((), ()))[1]

    wait_for(lambda: len(values()) >= 3, 60, "three scrapes")
    assert set(values()) == {1.0}
    # A counter with labels of several kinds, and a histogram's buckets, came along.
    assert {series.kind for series in found(api, "prometheus_http_requests_total")} == {"counter"}
    assert len({series.labels["le"] for series in found(api, "prometheus_http_request_duration_seconds_bucket")}) > 5


def test_prometheus_is_satisfied_with_the_answers(server: Part, api: Api) -> None:
    wait_for(lambda: found(api, "prometheus_remote_storage_samples_total"), 60, "its own figures of remote write")

    def latest(metric: str) -> float:
        return max((series.last_value or 0.0) for series in found(api, metric))

    wait_for(lambda: latest("prometheus_remote_storage_samples_total") > 100, 60, "samples sent")
    assert latest("prometheus_remote_storage_samples_failed_total") == 0
    assert latest("prometheus_remote_storage_samples_dropped_total") == 0
