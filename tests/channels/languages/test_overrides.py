"""A tenant's words reach every process within a second, with Redis or without, and nobody else."""

import time
from collections.abc import Iterator
from unittest import mock

import msgspec
import pytest
import redis
from django.core.exceptions import ValidationError

from channels.languages import Voice, overrides
from channels.languages.measures import HITS, INVALIDATIONS, MISSES
from channels.languages.overrides import CHECK_SECONDS, idle_seconds, l2_seconds, tenant_words, words_here
from channels.models import PhraseOverride
from channels.templating import preview
from tenants.context import tenant_context
from tenants.models import Tenant
from tests.channels.sending import changed
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    overrides.forget()
    yield
    overrides.forget()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def say(tenant: Tenant, text: str, key: str = "status.firing", locale: str = "fr") -> None:
    with tenant_context(tenant.pk):
        PhraseOverride.objects.update_or_create(locale=locale, key=key, defaults={"text": text})


def heard(tenant: Tenant) -> str:
    with tenant_context(tenant.pk):
        return Voice("fr", words=tenant_words()).t("status.firing")


def count(counter: object, level: str) -> float:
    return counter.labels(level=level)._value.get()  # type: ignore[attr-defined]


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    made = Clock()
    with mock.patch.object(overrides, "time", made):
        yield made


def test_words_are_heard_and_those_of_others_are_not(tenant: Tenant) -> None:
    other = make_tenant()
    say(tenant, "ça brûle")
    assert (heard(tenant), heard(other)) == ("ça brûle", "en cours")
    assert words_here() is overrides.NOBODYS_WORDS


def test_a_change_is_heard_within_a_second(tenant: Tenant, clock: Clock) -> None:
    assert CHECK_SECONDS < 1
    say(tenant, "un")
    assert heard(tenant) == "un"
    before = count(INVALIDATIONS, "memory"), count(INVALIDATIONS, "redis")
    say(tenant, "deux")
    clock.now += CHECK_SECONDS + 0.01
    assert heard(tenant) == "deux"
    assert (count(INVALIDATIONS, "memory"), count(INVALIDATIONS, "redis")) == (before[0] + 1, before[1] + 1)
    with tenant_context(tenant.pk):
        PhraseOverride.objects.all().delete()
    clock.now += CHECK_SECONDS + 0.01
    assert heard(tenant) == "en cours"


def test_between_two_looks_nothing_is_asked(tenant: Tenant, clock: Clock, django_assert_num_queries: object) -> None:
    say(tenant, "un")
    with tenant_context(tenant.pk):
        tenant_words()
        before = count(HITS, "memory")
        with django_assert_num_queries(0):  # type: ignore[operator]
            for _ in range(5):
                tenant_words()
        assert count(HITS, "memory") == before + 5
        with django_assert_num_queries(1):  # type: ignore[operator]
            tenant_words(is_fresh=True)


def test_another_process_reads_redis_and_not_the_rows(tenant: Tenant, django_assert_num_queries: object) -> None:
    say(tenant, "un")
    heard(tenant)
    overrides.forget()
    before = count(HITS, "redis"), count(MISSES, "memory")
    with tenant_context(tenant.pk), django_assert_num_queries(1):  # type: ignore[operator]
        assert Voice("fr", words=tenant_words()).t("status.firing") == "un"
    assert (count(HITS, "redis"), count(MISSES, "memory")) == (before[0] + 1, before[1] + 1)


def test_without_redis_it_is_still_right(tenant: Tenant, clock: Clock) -> None:
    broken = mock.Mock()
    broken.pipeline.side_effect = redis.ConnectionError("away")
    with mock.patch.object(overrides, "_redis", return_value=broken):
        say(tenant, "un")
        assert heard(tenant) == "un"
        say(tenant, "deux")
        clock.now += CHECK_SECONDS + 0.01
        assert heard(tenant) == "deux"
    assert broken.pipeline.call_count == 1


@pytest.mark.parametrize("stored", [b"not json", b"[]", b"theirs", b"older"])
def test_what_is_not_ours_in_redis_is_refused(tenant: Tenant, stored: bytes) -> None:
    say(tenant, "un")
    other = make_tenant()
    poison = {"tenant": str(tenant.pk), "revision": 7, "texts": {"fr": {"status.firing": "faux"}}}
    if stored == b"theirs":
        stored = msgspec.json.encode(poison | {"tenant": str(other.pk), "revision": 1})
    elif stored == b"older":
        stored = msgspec.json.encode(poison)
    overrides._redis().set(f"phrases:{tenant.pk}:1", stored)
    assert heard(tenant) == "un"


def test_what_is_used_often_is_kept_longer(tenant: Tenant, clock: Clock) -> None:
    assert idle_seconds(0) < idle_seconds(50) < idle_seconds(10**6) == 3_600
    assert l2_seconds(-2) == 300 < l2_seconds(1_000) == 2_000 < l2_seconds(10**6) == 86_400
    say(tenant, "un")
    heard(tenant)
    assert tenant.pk in overrides._cache.entries
    before = count(MISSES, "memory")
    clock.now += 4_000
    heard(tenant)
    assert count(MISSES, "memory") == before + 1


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overrides, "MAX_TENANTS", 2)
    tenants = [make_tenant() for _ in range(3)]
    for one in tenants:
        heard(one)
    assert list(overrides._cache.entries) == [one.pk for one in tenants[1:]]


def test_a_preview_speaks_the_tenants_words(tenant: Tenant) -> None:
    say(tenant, "ça brûle")
    with tenant_context(tenant.pk):
        shown = preview("slack", {"title": "{{ t('status.firing') }}"}, changed(locale="fr"))
    assert shown.problems == {}
    assert shown.parts["title"] == "ça brûle"
    assert "ça brûle" in shown.parts["text"]


@pytest.mark.parametrize(
    ("locale", "key", "text", "field"),
    [
        ("fr", "no.such", "x", "key"),
        ("fr", "counts.alerts", "{n}", "key"),
        ("de", "counts.alerts.many", "{n}", "key"),
        ("ja", "status.firing", "x", "locale"),
        ("FR", "status.firing", "x", "locale"),
        ("fr_CA", "status.firing", "x", "locale"),
        ("fr", "status.firing", "{n}", "text"),
        ("fr", "counts.alerts.one", "{n.real}", "text"),
        ("fr", "counts.alerts.one", "{n", "text"),
        ("fr", "status.firing", "a\nb", "text"),
        ("fr", "status.firing", "x" * 301, "text"),
        ("fr", "status.firing", "\u202eevil", "text"),
    ],
)
def test_words_that_would_break_a_message_are_refused(locale: str, key: str, text: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PhraseOverride(locale=locale, key=key, text=text).clean()
    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize(("locale", "key"), [("fr-CA", "counts.alerts.many"), ("en", "counts.alerts.one")])
def test_words_that_fit_are_taken(locale: str, key: str) -> None:
    PhraseOverride(locale=locale, key=key, text="{n} !").clean()
