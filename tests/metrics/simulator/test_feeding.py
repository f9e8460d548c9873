"""The demo tenant's series are fed up to now, the past once."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerting.demo import SLUG
from channels.selectors import database_now
from metrics import demo
from metrics.collecting import collect_shard
from metrics.models import MetricChoice, Series, Source, Threshold
from metrics.simulator import feed
from metrics.simulator.scenario import SERIES
from metrics.storage.reading import samples
from tenants.context import tenant_context
from tenants.models import Tenant
from tests.factories import make_tenant
from tests.fakes.http import FakeServer, Reply, Request
from tests.metrics.collecting.making import make_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(settings: Any) -> Tenant:
    settings.SIMULATE_METRICS = True
    return make_tenant(SLUG)


def test_the_past_is_made_once_and_then_only_what_is_missing(tenant: Tenant) -> None:
    stored = feed(tenant.pk, back_days=1)
    expected = sum(86_400 / one.step for one in SERIES)
    assert stored == pytest.approx(expected, rel=0.02)
    assert feed(tenant.pk, back_days=1) <= 2 * len(SERIES)
    with tenant_context(tenant.pk):
        assert Series.objects.count() == len(SERIES)
        now = database_now()
        steps = {(one.metric, *sorted(one.labels.items())): one.step for one in SERIES}
        for one in Series.objects.all():
            assert one.last_at is not None
            step = steps[(one.metric, *sorted(one.labels.items()))]
            assert (now - one.last_at).total_seconds() <= step + 60
            assert one.quality > 0.9, str(one)


def test_what_is_stored_is_what_was_made(tenant: Tenant) -> None:
    feed(tenant.pk, back_days=1)
    one = SERIES[0]
    with tenant_context(tenant.pk):
        number = Series.objects.get(metric=one.metric, labels=one.labels).number
        now = database_now().timestamp()
        at, values = samples(tenant.pk, [number], now - 3_600, now)[number]
    assert len(at) in {59, 60, 61}
    assert list(values) == pytest.approx(list(one.values(at)))


def test_a_long_past_is_made_part_by_part(tenant: Tenant) -> None:
    first = feed(tenant.pk, budget=0.0, back_days=3)
    second = feed(tenant.pk, budget=0.0, back_days=3)
    expected = sum(86_400 / one.step for one in SERIES)
    assert first == pytest.approx(expected, rel=0.02)
    # A part begins at the oldest gap, up to an hour back, where most series are done already.
    assert 0.94 * expected < second < 1.02 * expected


def test_a_part_is_a_fixed_number_of_statements(tenant: Tenant) -> None:
    feed(tenant.pk, back_days=1)
    with CaptureQueriesContext(connection) as queries:
        feed(tenant.pk, back_days=1)
    assert len(queries) < 60


def test_the_demo_chooses_its_metrics_once(tenant: Tenant) -> None:
    demo.seed(budget=0.0)
    with tenant_context(tenant.pk):
        assert set(MetricChoice.objects.values_list("key", flat=True)) == {one.key for one in SERIES}
        assert Threshold.objects.exists()
        MetricChoice.objects.exclude(key="technical.latency").delete()
    demo.seed(budget=0.0)
    with tenant_context(tenant.pk):
        assert MetricChoice.objects.count() == 1
        linked = Series.objects.exclude(catalogue_key="").values_list("catalogue_key", flat=True)
        assert set(linked) == {"technical.latency"}
    assert demo.simulate() >= 0


def test_the_demo_has_a_source_that_is_really_asked(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def inbox(request: Request) -> Reply:
        asked.append(request.path)
        return Reply(body=b'[{"id": 1}, {"id": 2}]')

    with FakeServer(inbox) as server:
        monkeypatch.setenv("INBOX_URL", server.url)
        demo.seed(budget=0.0)
        with tenant_context(tenant.pk):
            source = Source.objects.get()
        make_due(source)
        collect_shard()
    assert asked == ["/messages.json"]
    with tenant_context(tenant.pk):
        assert Series.objects.get(metric="inbox_messages").last_value == 2.0


def test_nothing_is_simulated_where_it_is_switched_off(tenant: Tenant, settings: Any) -> None:
    settings.SIMULATE_METRICS = False
    assert (demo.seed(budget=1.0), demo.simulate()) == (0, 0)
    with tenant_context(tenant.pk):
        assert not Series.objects.exists()
