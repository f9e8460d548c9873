"""Dead letters in people's hands, and channels as people set them up."""

import pytest
from django.core.exceptions import PermissionDenied

from channels import setup
from channels.delivery import IllegalStep, deliver_due, discard, replay
from channels.errors import ChannelError, InvalidSettings
from channels.models import Channel, Delivery
from tenants.context import tenant_context
from tenants.models.audit import AuditEntry
from tenants.principal import Principal, system
from tests.channels.deliveries import failed, get, make_channel, outcomes, put, queued, refused
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(provider):
    return make_tenant()


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
        discard(system(tenant.pk), dead)


def test_a_stranger_finds_nothing_to_replay(dead):
    stranger = make_tenant()
    with pytest.raises(Delivery.DoesNotExist):
        replay(system(stranger.pk), dead)


def test_a_viewer_may_not_replay(tenant, channel, dead):
    viewer = Principal("member", "1", "vera", tenant.pk, frozenset({"view_alerts"}))
    for act in (replay, discard):
        with pytest.raises(PermissionDenied):
            act(viewer, dead)
    assert get(channel, dead).state == "dead"


def test_a_discarded_letter_stays_on_record(tenant, channel, dead):
    discard(system(tenant.pk, "olga"), dead, reason="stale")
    delivery = get(channel, dead)
    assert delivery.state == "cancelled"
    assert "olga" in delivery.state_reason
    assert queued(dead) is None
    assert audited(tenant, "delivery.discarded").reason == "stale"


def test_a_channel_is_created_with_its_secrets_sealed_and_audited(tenant):
    secret = "whsec_" + "A" * 32
    channel = setup.create_channel(
        system(tenant.pk),
        name="hooks",
        kind="webhook",
        settings={"url": "http://127.0.0.1:9/x"},
        credentials={"secrets": [secret]},
    )
    with tenant_context(tenant.pk):
        assert secret in Channel.objects.get(pk=channel.pk).credentials
    assert secret not in str(audited(tenant, "channel.created").after)


def test_every_field_at_fault_is_named(tenant, channel):
    with pytest.raises(InvalidSettings) as caught:
        setup.create_channel(
            system(tenant.pk),
            name=channel.name,
            kind="webhook",
            settings={"url": "ftp://x"},
            credentials={},
            rate_per_minute=0,
        )
    assert set(caught.value.errors) == {"name", "settings.url", "credentials.secrets", "rate_per_minute"}
    with pytest.raises(InvalidSettings) as caught:
        setup.create_channel(system(tenant.pk), name="x", kind="pigeon", settings={}, credentials={})
    assert set(caught.value.errors) == {"kind"}
    with pytest.raises(InvalidSettings) as caught:
        setup.update_channel(system(tenant.pk), channel, tenant_id=make_tenant().pk)
    assert set(caught.value.errors) == {"tenant_id"}


def test_a_change_keeps_the_secrets_that_it_does_not_name(tenant):
    principal = system(tenant.pk)
    credentials = {"token": "xoxb-1"}
    channel = setup.create_channel(
        principal, name="s", kind="slack", settings={"channel": "#alerts"}, credentials=credentials
    )
    setup.update_channel(principal, channel, settings={"channel": "#ops"}, rate_per_minute=30)
    with tenant_context(tenant.pk):
        found = Channel.objects.get(pk=channel.pk)
    assert found.settings == {"channel": "#ops"}
    assert "xoxb-1" in found.credentials


def test_a_test_message_goes_through_the_engine_and_tells_the_answer(tenant, channel, provider):
    principal = system(tenant.pk, "olga")
    put(channel)
    delivery_id = setup.send_test(principal, channel)
    provider.script.append(failed())
    deliver_due(tenant.pk, limit=1)
    with tenant_context(tenant.pk):
        assert setup.last_answer(delivery_id) == "failed, will be tried again: HTTP 500"
    assert audited(tenant, "channel.tested").actor_label == "olga"


def test_a_channel_that_is_off_is_not_tested_and_cancels_what_waits(tenant, channel, provider):
    principal = system(tenant.pk)
    [delivery_id] = put(channel)
    setup.disable(principal, channel, "on holiday")
    with pytest.raises(InvalidSettings):
        setup.send_test(principal, channel)
    assert deliver_due(tenant.pk) == 0
    assert get(channel, delivery_id).state == "cancelled"
    setup.enable(principal, channel)
    put(channel)
    assert deliver_due(tenant.pk) == 1


def test_verifying_asks_the_provider(tenant, channel, monkeypatch):
    setup.verify(system(tenant.pk), channel)

    def refuse(self, settings, credentials):
        raise refused()

    monkeypatch.setattr("tests.channels.deliveries.Findable.check", refuse)
    with pytest.raises(ChannelError, match="HTTP 400"):
        setup.verify(system(tenant.pk), channel)


def test_only_who_may_configure_sets_channels_up(tenant, channel):
    viewer = Principal("member", "1", "vera", tenant.pk, frozenset({"view_alerts"}))
    acts = [
        lambda: setup.update_channel(viewer, channel, name="mine"),
        lambda: setup.disable(viewer, channel, "no"),
        lambda: setup.send_test(viewer, channel),
        lambda: setup.verify(viewer, channel),
        lambda: setup.create_channel(viewer, name="a", kind="blind", settings={}, credentials={}),
    ]
    for act in acts:
        with pytest.raises(PermissionDenied):
            act()
