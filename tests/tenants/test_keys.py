"""API keys: shown once, verified in constant time, scoped, rotated with overlap."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tenants import keys
from tenants.context import tenant_context
from tenants.models import ApiKey, AuditEntry
from tenants.principal import system
from tests.factories import make_key, make_tenant

pytestmark = pytest.mark.django_db


def test_a_key_speaks_for_its_tenant_with_its_scopes() -> None:
    tenant = make_tenant()
    principal = keys.verify(make_key(tenant, ["alerts:write"]), "192.0.2.1")
    assert principal is not None
    assert (principal.tenant_id, principal.permissions, principal.ip) == (tenant.pk, {"send_alerts"}, "192.0.2.1")


@pytest.mark.parametrize(
    "change",
    [lambda t: t[:-7] + "0" + t[-6:], lambda t: "ak_test_00000000_" + "0" * 38, lambda t: "", lambda t: t + "x"],
)
def test_a_wrong_key_is_nobody(change) -> None:
    assert keys.verify(change(make_key(make_tenant())), None) is None


def with_secret(token: str, secret: str) -> str:
    """Return the token with another secret and check digits that fit."""
    body = token[: -keys.SECRET_LENGTH - keys.CHECK_LENGTH] + secret
    return body + keys._check_digits(body)


def test_no_bad_key_costs_more_than_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted here is all that could tell them apart: statements, hashes, comparisons."""
    tenant = make_tenant()
    good, revoked = make_key(tenant), make_key(tenant)
    with tenant_context(tenant.pk):
        keys.revoke(system(tenant.pk), ApiKey.objects.get(prefix=revoked.split("_")[2]))
        expired = keys.issue(system(tenant.pk), "old", ["alerts:read"], timezone.now() - timedelta(days=1)).token
    unknown = good.replace(good.split("_")[2], "0" * keys.PREFIX_LENGTH)
    bad = {
        "wrong secret": with_secret(good, "0" * keys.SECRET_LENGTH),
        "unknown": with_secret(unknown, "0" * keys.SECRET_LENGTH),
        "revoked": revoked,
        "expired": expired,
        "slip": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "no key": "hello",
    }
    hashes: list[str] = []
    digest = keys._digest
    monkeypatch.setattr(keys, "_digest", lambda secret: (hashes.append(secret), digest(secret))[1])
    costs = {}
    for name, token in bad.items():
        keys._known.clear()
        hashes.clear()
        with CaptureQueriesContext(connection) as queries:
            assert keys.verify(token, None) is None, name
        costs[name] = (len(queries), len(hashes), *(len(secret) for secret in hashes))
    assert set(costs.values()) == {costs["unknown"]}, costs


def test_a_use_is_noted_once_and_only_with_the_secret() -> None:
    tenant = make_tenant()
    token = make_key(tenant)
    prefix = token.split("_")[2]

    def last_used() -> object:
        with tenant_context(tenant.pk):
            return ApiKey.objects.get(prefix=prefix).last_used_at

    assert keys.verify(with_secret(token, "0" * keys.SECRET_LENGTH), None) is None
    assert last_used() is None
    assert keys.verify(token, None) is not None
    first = last_used()
    assert first is not None
    assert keys.verify(token, None) is not None
    assert last_used() == first


def test_the_secret_is_not_stored() -> None:
    tenant = make_tenant()
    token = make_key(tenant)
    with tenant_context(tenant.pk):
        key = ApiKey.objects.get()
        assert token.split("_")[3][:32].encode() not in bytes(key.digest)
        assert token not in str(AuditEntry.objects.values_list("after", flat=True))


def test_a_revoked_key_stops_at_once(django_capture_on_commit_callbacks) -> None:
    tenant = make_tenant()
    token = make_key(tenant)
    assert keys.verify(token, None) is not None
    with django_capture_on_commit_callbacks(execute=True), tenant_context(tenant.pk):
        keys.revoke(system(tenant.pk), ApiKey.objects.get())
    assert keys.verify(token, None) is None


def test_an_expired_key_is_nobody() -> None:
    tenant = make_tenant()
    with tenant_context(tenant.pk):
        token = keys.issue(system(tenant.pk), "old", ["alerts:read"], timezone.now() - timedelta(days=1)).token
    assert keys.verify(token, None) is None


def test_both_keys_work_while_a_rotation_overlaps() -> None:
    tenant = make_tenant()
    old = make_key(tenant, ["alerts:read"])
    with tenant_context(tenant.pk):
        new = keys.rotate(system(tenant.pk), ApiKey.objects.get()).token
    assert keys.verify(old, None) is not None
    assert keys.verify(new, None) is not None


def test_a_key_of_an_inactive_tenant_is_nobody() -> None:
    tenant = make_tenant()
    tenant.is_active = False
    tenant.save()
    assert keys.verify(make_key(tenant), None) is None


def test_an_unknown_scope_is_named() -> None:
    with pytest.raises(ValueError, match="alerts:everything"):
        make_key(make_tenant(), ["alerts:everything"])
