"""Due sources are asked at once, and what they say is stored with how each is doing."""

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.collecting import collect_shard, looking, schedule, try_source
from metrics.models import Source
from tenants.context import tenant_context
from tests.factories import make_tenant
from tests.fakes.http import FakeServer, Reply, Request
from tests.metrics.collecting.making import last_values, make_due, make_source, seconds_to_next, state_of

pytestmark = pytest.mark.django_db


def answer(document: Any, **options: Any) -> Reply:
    return Reply(body=json.dumps(document).encode(), **options)


def test_a_due_source_is_asked_and_its_values_stored() -> None:
    tenant = make_tenant()
    seen: list[dict[str, str]] = []

    def application(request: Request) -> Reply:
        seen.append(request.headers)
        return answer({"depth": 7})

    with FakeServer(application) as server:
        source = make_source(tenant, server.url, labels={"site": "eu"}, secret="s3cret-token")
        assert collect_shard() == 1
        assert collect_shard() == 0
    assert last_values(tenant) == {"depth{site=eu}": 7.0, "metric_source_up{source=numbers}": 1.0}
    state = state_of(source)
    assert (state.health, state.words, state.series, state.points) == ("healthy", "", 1, 1)
    assert state.samples[0]["labels"] == {"site": "eu"}
    assert 30 < seconds_to_next(source) <= 60
    assert seen[0]["authorization"] == "Bearer s3cret-token"


def test_a_secret_is_encrypted_where_it_lies() -> None:
    tenant = make_tenant()
    source = make_source(tenant, "https://example.com/", secret="s3cret-token")
    with tenant_context(tenant.pk), connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM metric_source WHERE id = %s", [source.pk])
        stored = cursor.fetchone()[0]
        assert "s3cret-token" in Source.objects.get(pk=source.pk).credentials
    assert stored
    assert "s3cret-token" not in str(stored)


def test_failures_make_the_waits_longer_and_the_health_worse() -> None:
    tenant, replies = make_tenant(), iter([Reply(500), Reply(500), Reply(500), Reply(body=b'{"depth": 1}')])
    with FakeServer(lambda request: next(replies)) as server:
        source = make_source(tenant, server.url)
        seen, waits = [], []
        for _turn in range(4):
            make_due(source)
            collect_shard()
            state = state_of(source)
            seen.append((state.health, state.failures))
            waits.append(seconds_to_next(source))
    assert seen == [("degraded", 1), ("degraded", 2), ("failing", 3), ("healthy", 0)]
    assert waits[3] < 61 < waits[0] < waits[1] < waits[2]
    assert last_values(tenant)["metric_source_up{source=numbers}"] == 1.0


def test_what_is_wrong_is_told_in_the_language_of_the_tenant() -> None:
    tenant = make_tenant()
    tenant.locale = "de"
    tenant.save()
    with FakeServer(lambda request: Reply(500)) as server:
        source = make_source(tenant, server.url)
        collect_shard()
    state = state_of(source)
    assert state.trouble == "server"
    assert state.words == "Die Quelle antwortete mit Status 500."
    assert state.succeeded_at is None


def test_a_busy_source_is_left_alone_as_long_as_it_asks() -> None:
    tenant = make_tenant()
    with FakeServer(lambda request: Reply(429, headers={"Retry-After": "900"})) as server:
        source = make_source(tenant, server.url)
        collect_shard()
    assert 600 < seconds_to_next(source) < 960


def test_the_last_good_values_stay_when_a_look_fails() -> None:
    tenant, replies = make_tenant(), iter([Reply(body=b'{"depth": 3}'), Reply(body=b"<html>")])
    with FakeServer(lambda request: next(replies)) as server:
        source = make_source(tenant, server.url)
        collect_shard()
        make_due(source)
        collect_shard()
    state = state_of(source)
    assert (state.trouble, state.health, state.samples[0]["value"]) == ("unreadable", "degraded", 3.0)
    assert state.succeeded_at is not None
    assert state.succeeded_at < state.looked_at


def test_a_redirect_to_the_metadata_of_a_cloud_leads_nowhere() -> None:
    tenant = make_tenant()
    reply = Reply(307, headers={"Location": "http://169.254.169.254/latest/meta-data/"})
    with FakeServer(lambda request: reply) as server:
        source = make_source(tenant, server.url)
        collect_shard()
    assert state_of(source).trouble == "refused"


def test_an_address_inside_is_refused_also_where_it_was_stored_past_the_form() -> None:
    tenant = make_tenant()
    source = make_source(tenant, "http://169.254.169.254/latest/meta-data/")
    collect_shard()
    assert state_of(source).trouble == "blocked"


def test_a_slow_source_costs_the_others_nothing() -> None:
    slow, quick = make_tenant(), make_tenant()
    gate, stored_before = threading.Event(), []

    def application(request: Request) -> Reply:
        if request.path == "/slow":
            gate.wait(30)
        return answer({"depth": 1})

    with FakeServer(application) as server:
        held = make_source(slow, f"{server.url}/slow", timeout=30)
        make_source(quick, f"{server.url}/quick")
        original = schedule.finish

        def watch(done: Any) -> None:
            original(done)
            stored_before.append([one.claim.tenant_id for one in done])
            gate.set()

        schedule.finish = watch
        try:
            collect_shard()
        finally:
            schedule.finish = original
    assert stored_before == [[quick.pk], [slow.pk]]
    assert state_of(held).health == "healthy"


def test_a_source_that_never_answers_ends_at_its_own_limit() -> None:
    tenant = make_tenant()
    with FakeServer(lambda request: Reply(hang=20)) as server:
        source = make_source(tenant, server.url, timeout=1)
        collect_shard()
    state = state_of(source)
    assert (state.trouble, state.failures) == ("timeout", 1)
    assert state.took_ms >= 1000


def test_an_unchanged_page_keeps_its_series_alive() -> None:
    tenant, asked = make_tenant(), list[str]()

    def application(request: Request) -> Reply:
        asked.append(request.headers.get("if-none-match", ""))
        return Reply(304) if asked[-1] else answer({"depth": 4}, headers={"ETag": '"a"'})

    with FakeServer(application) as server:
        source = make_source(tenant, server.url)
        for _turn in range(2):
            make_due(source)
            collect_shard()
    assert asked == ["", '"a"']
    assert state_of(source).points == 1


def test_an_unchanged_page_is_read_anew_by_other_settings() -> None:
    tenant, asked = make_tenant(), list[str]()

    def application(request: Request) -> Reply:
        asked.append(request.headers.get("if-none-match", ""))
        return Reply(304) if asked[-1] else answer({"depth": 4, "age": 9}, headers={"ETag": '"a"'})

    with FakeServer(application) as server:
        source = make_source(tenant, server.url)
        collect_shard()
        with tenant_context(tenant.pk):
            source.settings = source.settings | {"values": {"oldest": "age"}}
            source.save()
        for _turn in range(2):
            make_due(source)
            collect_shard()
    assert asked == ["", "", '"a"']
    assert last_values(tenant)["oldest"] == 9.0


def test_a_query_that_finds_nothing_may_be_meant_so() -> None:
    tenant = make_tenant()
    with FakeServer(
        lambda request: answer({"status": "success", "data": {"resultType": "vector", "result": []}})
    ) as server:
        settings = {"url": server.url, "queries": {"faults": "rate(faults_total[5m])"}}
        source = make_source(tenant, server.url, kind="prometheus", settings=settings)
        collect_shard()
        tried = try_source("prometheus", settings, {}, labels={})
    assert state_of(source).health == "healthy"
    assert tried.notes == ["faults: the query found nothing."]


def test_a_source_switched_off_or_deleted_is_asked_no_more() -> None:
    tenant = make_tenant()
    off, gone = make_source(tenant, "https://example.com/", "off"), make_source(tenant, "https://example.com/", "gone")
    with tenant_context(tenant.pk):
        off.is_active = False
        off.save()
        gone.delete()
    assert schedule.claim(10) == []


def test_what_a_person_changes_during_a_look_is_asked_soon() -> None:
    tenant = make_tenant()
    source = make_source(tenant, "https://example.com/")
    [claim] = schedule.claim(10)
    assert schedule.claim(10) == []
    with tenant_context(tenant.pk):
        source.settings = {"url": "https://example.com/other", "values": {"n": "n"}}
        source.save()
    schedule.finish([schedule.Done(claim, 3600)])
    assert seconds_to_next(source) < 15


def test_turns_go_round_the_tenants() -> None:
    many, few = make_tenant(), make_tenant()
    for number in range(6):
        make_source(many, "https://example.com/", f"many {number}")
    make_source(few, "https://example.com/", "one")
    assert few.pk in {claim.tenant_id for claim in schedule.claim(2)}


def test_a_full_shard_calls_the_next_one_before_it_waits(settings: Any) -> None:
    CALLED.clear()
    settings.TASK_PUBLISHER = "tests.metrics.collecting.test_shard.note_call"
    tenant = make_tenant()
    with FakeServer(lambda request: answer({"depth": 1})) as server:
        for number in range(3):
            make_source(tenant, server.url, f"source {number}")
        assert [collect_shard(2), collect_shard(2)] == [2, 1]
    assert CALLED == ["metrics.tasks.collect_shard"]


CALLED: list[str] = []


def note_call(task: str, *ids: str) -> None:
    CALLED.append(task)


def test_the_number_of_statements_does_not_grow_with_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    # All answers of a tenant are stored together, however slowly this machine brings them.
    monkeypatch.setattr(looking, "COMPANY_SECONDS", 60.0)

    def cost(count: int) -> int:
        tenant = make_tenant()
        for number in range(count):
            make_source(tenant, server.url, f"source {number}", labels={"n": str(number)})
        collect_shard()
        with tenant_context(tenant.pk):
            make_due(*Source.objects.all())
        with CaptureQueriesContext(connection) as queries:
            assert collect_shard() == count
        return len(queries)

    with FakeServer(lambda request: answer({"depth": 1})) as server:
        few = min(cost(2), cost(2))
        assert cost(12) <= few


@pytest.mark.parametrize(
    ("failures", "retry_after", "least", "most"),
    [(0, 0, 60, 60), (1, 0, 114, 126), (3, 0, 456, 504), (50, 0, 1710, 1890), (0, 300, 300, 300), (1, 900, 855, 945)],
)
def test_waits_double_up_to_half_an_hour(failures: int, retry_after: float, least: float, most: float) -> None:
    assert all(least <= schedule.wait_after(60, failures, retry_after) <= most for _time in range(50))


def test_a_long_interval_is_never_shortened_by_a_failure() -> None:
    assert schedule.wait_after(86_400, 5) >= 86_400 * 0.95
