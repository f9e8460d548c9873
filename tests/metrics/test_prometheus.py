"""A real Prometheus, Debian's, pushes what it scrapes from itself into the running service by remote write."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from metrics.models import Series
from metrics.storage import reading
from tenants.context import tenant_context
from tests.conftest import COORDINATES, WORKER
from tests.factories import Api, make_api
from tests.real_prometheus import NEEDED, command
from tests.stack import Part, Stack, stack_of_its_own, wait_for

pytestmark = NEEDED


@pytest.fixture(scope="module")
def stack(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("prometheus")
    with django_db_blocker.unblock(), stack_of_its_own(COORDINATES, f"prometheus_{WORKER}", folder) as stack:
        yield stack


@pytest.fixture
def api(stack: Stack) -> Api:
    return make_api(scopes=["metrics:write"])


@pytest.fixture
def server(stack: Stack, api: Api) -> Iterator[Part]:
    part = stack.part("prometheus", command(stack.folder, url=stack.url, token=api.token)).start()
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
