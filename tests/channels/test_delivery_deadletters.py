"""Dead letters in people's hands, and channels as people test them."""

import pytest
from django.core.exceptions import PermissionDenied

from channels import setup
from channels.delivery import IllegalStep, deliver_due, dismiss, replay
from channels.errors import InvalidSettings
from channels.models import Delivery
from tenants.context import tenant_context
from tenants.models.audit import AuditEntry
from tenants.principal import Principal, system
from tests.channels.deliveries import failed, get, make_channel, outcomes, put, refused
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(tenant):
    return make_channel(tenant)


@pytest.fixture
def dead(tenant, channel, provider):
    [delivery_id] = put(channel)
    provider.script.append(refused())
    deliver_due(tenant.pk)
    return delivery_id


def audited(tenant, action):
    with tenant_context(tenant.pk):
        return AuditEntry.objects.filter(action=action).first()


def switch(channel, *, is_active):
    channel.is_active = is_active
    with tenant_context(channel.tenant_id):
        channel.save(update_fields=["is_active"])


def test_a_dead_letter_is_replayed_with_a_trace(tenant, channel, dead):
    before = get(channel, dead)
    replay(system(tenant.pk, "olga"), dead, reason="token renewed")
    after = get(channel, dead)
    assert (after.state, after.replay_no, after.attempts) == ("pending", 1, 0)
    assert bytes(after.dedup_key) != bytes(before.dedup_key)
    assert after.expires_at > before.expires_at
    deliver_due(tenant.pk)
    assert get(channel, dead).state == "delivered"
    assert outcomes(channel, dead) == ["permanent", "ok"]
    entry = audited(tenant, "delivery.replayed")
    assert (entry.actor_label, entry.reason, entry.before["state"]) == ("olga", "token renewed", "dead")


def test_only_the_dead_are_replayed(tenant, channel, dead):
    replay(system(tenant.pk), dead)
    with pytest.raises(IllegalStep):
        replay(system(tenant.pk), dead)
    deliver_due(tenant.pk)
    with pytest.raises(IllegalStep):
        replay(system(tenant.pk), dead)


def test_a_stranger_finds_nothing_to_replay(dead):
    stranger = make_tenant()
    with pytest.raises(Delivery.DoesNotExist):
        replay(system(stranger.pk), dead)


def test_a_viewer_may_not_replay(tenant, channel, dead):
    viewer = Principal("member", "1", "vera", tenant.pk, frozenset({"view_alerts"}))
    with pytest.raises(PermissionDenied):
        replay(viewer, dead)
    assert get(channel, dead).state == "dead"


def test_a_test_message_goes_through_the_engine_and_tells_the_answer(tenant, channel, provider):
    principal = system(tenant.pk, "olga")
    put(channel)
    delivery_id = setup.send_test(principal, channel)
    provider.script.append(failed())
    deliver_due(tenant.pk, limit=1)
    assert outcomes(channel, delivery_id) == ["retryable"]
    assert audited(tenant, "channel.tested").actor_label == "olga"


def test_a_channel_that_is_off_is_not_tested_and_cancels_what_waits(tenant, channel, provider):
    principal = system(tenant.pk)
    [delivery_id] = put(channel)
    switch(channel, is_active=False)
    with pytest.raises(InvalidSettings):
        setup.send_test(principal, channel)
    assert deliver_due(tenant.pk) == 0
    assert get(channel, delivery_id).state == "cancelled"
    switch(channel, is_active=True)
    put(channel)
    assert deliver_due(tenant.pk) == 1


def test_only_who_may_configure_tests_a_channel(tenant, channel):
    viewer = Principal("member", "1", "vera", tenant.pk, frozenset({"view_alerts"}))
    with pytest.raises(PermissionDenied):
        setup.send_test(viewer, channel)


def test_a_dead_letter_that_nobody_needs_is_laid_aside_with_a_trace(tenant, channel, dead):
    dismiss(system(tenant.pk, "olga"), dead, reason="planned work")
    after = get(channel, dead)
    assert after.state == "cancelled"
    assert "olga" in after.state_reason
    assert audited(tenant, "delivery.dismissed").reason == "planned work"
    for act in (dismiss, replay):
        with pytest.raises(IllegalStep):
            act(system(tenant.pk), dead)
    stranger = make_tenant()
    with pytest.raises(Delivery.DoesNotExist):
        dismiss(system(stranger.pk), dead)
