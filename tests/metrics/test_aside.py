"""What cannot be taken in is set aside with its reason, shown, sent in again, given up, and gone after its time."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from metrics import aside, draining
from metrics.decoding.push import Decoded
from metrics.intake import accept
from metrics.models import MetricQueue, MetricRequest, SamplesAside, Series
from metrics.points import pack
from tenants.context import tenant_context
from tenants.faults import InputRefused
from tenants.models import AuditEntry, Tenant
from tenants.principal import system
from tests.factories import make_member, make_tenant
from tests.metrics.house import only_series, points

pytestmark = pytest.mark.django_db
BEGIN = int(time.time()) // 3600 * 3600 - 7_200


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """A tenant with one push set aside, because what takes samples in failed."""
    made = make_tenant()
    accept(system(made.pk, "test"), "push", Decoded(pack([points([(BEGIN, 1.0), (BEGIN + 60, 2.0)])]), [], 0))
    with monkeypatch.context() as broken:
        broken.setattr(draining, "take_in", fail)
        assert draining.drain(made.pk) == 1
    return made


def fail(*_arguments: Any) -> None:
    raise ValueError("a fault\x00 of ours")


def item(tenant: Tenant) -> SamplesAside:
    with tenant_context(tenant.pk):
        return SamplesAside.objects.get()


def browser(tenant: Tenant, role: str = "owner") -> Client:
    client = Client()
    client.force_login(make_member(tenant, role))
    return client


def test_it_says_why_and_what_is_in_it(tenant: Tenant) -> None:
    found = item(tenant)
    assert (found.error, found.samples, found.state) == ("ValueError: a fault of ours", 2, "waiting")
    assert not MetricQueue.objects.exists()
    with tenant_context(tenant.pk):
        assert not MetricRequest.objects.exists()
    (part,) = aside.contents(found) or []
    assert (part.samples, part.first.timestamp(), part.last.timestamp()) == (2, BEGIN, BEGIN + 60)
    page = browser(tenant, "viewer").get(f"/admin/metrics/samplesaside/{found.pk}/change/").content.decode()
    assert "a fault of ours" in page
    assert part.metric in page
    assert "Send it in again" not in page


def test_sent_in_again_it_is_taken_in_once(tenant: Tenant) -> None:
    client, path = browser(tenant), f"/admin/metrics/samplesaside/{item(tenant).pk}/replay/"
    assert client.get(path).status_code == 405
    assert client.post(path, follow=True).status_code == 200
    assert draining.drain(tenant.pk) == 2
    assert only_series(tenant).last_value == 2.0
    assert item(tenant).state == "replayed"
    assert "settled already" in client.post(path, follow=True).content.decode()
    assert draining.drain(tenant.pk) == 0
    with tenant_context(tenant.pk):
        assert AuditEntry.objects.filter(action="samplesaside.replayed").count() == 1


def test_what_fails_again_is_set_aside_anew(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    aside.replay(system(tenant.pk, "test"), item(tenant).pk)
    monkeypatch.setattr(draining, "take_in", fail)
    draining.drain(tenant.pk)
    with tenant_context(tenant.pk):
        assert sorted(SamplesAside.objects.values_list("state", flat=True)) == ["replayed", "waiting"]
        assert not Series.objects.exists()


def test_it_can_be_given_up_and_stays_so(tenant: Tenant) -> None:
    browser(tenant).post(f"/admin/metrics/samplesaside/{item(tenant).pk}/discard/")
    found = item(tenant)
    assert found.state == "discarded"
    assert found.settled_by
    with pytest.raises(InputRefused):
        aside.replay(system(tenant.pk, "test"), found.pk)


def test_who_may_not_replay_can_do_neither(tenant: Tenant) -> None:
    client, path = browser(tenant, "viewer"), f"/admin/metrics/samplesaside/{item(tenant).pk}"
    assert [client.post(f"{path}/{deed}/").status_code for deed in ("replay", "discard")] == [403, 403]
    assert item(tenant).state == "waiting"


def test_another_tenant_does_not_see_it(tenant: Tenant) -> None:
    stranger = browser(make_tenant())
    path = f"/admin/metrics/samplesaside/{item(tenant).pk}"
    assert stranger.get(f"{path}/change/").status_code == 404
    assert stranger.post(f"{path}/replay/").status_code == 404


def test_what_cannot_be_read_is_shown_as_far_as_it_goes(tenant: Tenant) -> None:
    for body in (b"\xc1 is no MessagePack", b"\x96\xc4\x00\xc4\x03abc\xc4\x00\xc4\x00\x90\x90"):
        with tenant_context(tenant.pk):
            SamplesAside.objects.update(body=body)
        found = item(tenant)
        assert aside.contents(found) is None
        page = browser(tenant).get(f"/admin/metrics/samplesaside/{found.pk}/change/").content.decode()
        assert "It cannot be read." in page


def test_it_goes_after_its_time(tenant: Tenant) -> None:
    assert aside.forget_all() == 0
    with tenant_context(tenant.pk):
        SamplesAside.objects.update(set_aside_at=F("set_aside_at") - aside.KEPT - timedelta(hours=1))
    assert aside.forget_all() == 1
    with tenant_context(tenant.pk):
        assert not SamplesAside.objects.exists()
