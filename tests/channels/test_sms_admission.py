"""Quiet hours, caps and the budget: decided purely, then lived through the engine with a fake Twilio."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from channels.delivery import deliver_due
from channels.models import Channel, Delivery, SmsMessage, SmsOptOut, SmsPlan
from channels.sms.condensing import condense
from channels.sms.deciding import Because, Limits, Usage, Waiting, decide
from tenants.context import tenant_context
from tenants.isolation import new_id
from tenants.models import Tenant
from tests.channels.deliveries import get, let_pass, make_channel, put, reconcile_due, wait_seconds
from tests.channels.sending import changed
from tests.factories import make_tenant
from tests.fakes.http import Reply
from tests.fakes.twilio import ACCOUNT, FakeTwilio, ScriptedTwilio, refuse

NUMBER, OTHER = "+436641234567", "+33612345678"
NOW = datetime(2026, 1, 5, 23, tzinfo=UTC)
CHANNEL = UUID(int=1)
CENT = Decimal("0.10")


def waiting(number: str = NUMBER, *, critical: bool = False, **options: Any) -> Waiting:
    values: dict[str, Any] = {
        "delivery_id": new_id(),
        "channel_id": CHANNEL,
        "number": number,
        "is_critical": critical,
        "created_at": NOW,
        "expires_at": NOW + timedelta(hours=6),
        "cost": CENT,
    }
    return Waiting(**values | options)


def test_what_has_room_goes() -> None:
    ones = [waiting() for _ in range(3)]
    verdict = decide(ones, Limits(), Usage(), NOW)
    assert verdict.send == ones
    assert not verdict.hold
    assert not verdict.fold


def test_more_than_a_number_may_get_goes_as_one() -> None:
    ones = [waiting() for _ in range(9)] + [waiting(OTHER)]
    verdict = decide(ones, Limits(per_number=10), Usage(), NOW)
    assert len(verdict.send) == 2
    assert [len(others) for others in verdict.fold.values()] == [8]


def test_a_full_hour_holds_until_its_oldest_leaves_and_keeps_room_for_critical() -> None:
    oldest = NOW - timedelta(minutes=50)
    usage = Usage(by_number={NUMBER: (8, oldest)}, hour=8, hour_oldest=oldest)
    normal, critical = waiting(), waiting(critical=True)
    verdict = decide([normal, critical], Limits(per_number=10), usage, NOW)
    assert verdict.send == [critical]
    assert [one for one, _until, _because in verdict.hold] == [normal]
    alone = decide([normal], Limits(per_number=10), usage, NOW)
    assert alone.hold == [(normal, NOW + timedelta(minutes=10), Because.NUMBER_CAP)]
    full = Usage(by_number={OTHER: (100, oldest)}, hour=100, hour_oldest=oldest)
    held = decide([normal, waiting(OTHER, critical=True)], Limits(per_number=500, hourly=100), full, NOW)
    assert {because for _one, _until, because in held.hold} == {Because.TENANT_CAP}


def test_the_budget_keeps_a_reserve_for_critical() -> None:
    limits = Limits(budget=Decimal(10), reserve=Decimal("0.2"), critical_over_budget=False)
    usage = Usage(spent=Decimal("7.95"))
    normal, critical, late = waiting(), waiting(OTHER, critical=True), waiting("+15005550006")
    late = waiting("+15005550006", expires_at=NOW + timedelta(minutes=5))
    verdict = decide([normal, critical, late], limits, usage, NOW)
    assert verdict.send == [critical]
    assert verdict.hold == [(normal, NOW + timedelta(minutes=10), Because.BUDGET)]
    assert verdict.refuse == [(late, Because.BUDGET)]
    spent = Usage(spent=Decimal(10))
    assert decide([critical], limits, spent, NOW).send == []
    assert decide([critical], Limits(budget=Decimal(10)), spent, NOW).send == [critical]


def test_quiet_hours_hold_all_but_critical_and_what_waited_goes_as_one() -> None:
    until = NOW + timedelta(hours=8)
    normal, critical = waiting(quiet_until=until), waiting(critical=True, quiet_until=until)
    verdict = decide([normal, critical], Limits(), Usage(), NOW)
    assert verdict.send == [critical]
    assert verdict.hold == [(normal, until, Because.QUIET)]
    morning = [waiting(was_held=True) for _ in range(3)]
    told = decide(morning, Limits(), Usage(), until)
    assert len(told.send) == 1
    assert [len(others) for others in told.fold.values()] == [2]


def test_a_number_that_said_stop_is_refused_and_a_second_try_counts_once() -> None:
    gone, again = waiting(), waiting(OTHER, is_counted=True, quiet_until=NOW + timedelta(hours=1))
    usage = Usage(opted_out=frozenset({(CHANNEL, NUMBER)}), by_number={OTHER: (99, NOW)})
    verdict = decide([gone, again], Limits(), usage, NOW)
    assert verdict.refuse == [(gone, Because.OPTED_OUT)]
    assert verdict.send == [again]


@given(
    st.lists(
        st.builds(
            waiting,
            st.sampled_from([NUMBER, OTHER]),
            critical=st.booleans(),
            was_held=st.booleans(),
            is_chosen=st.booleans(),
            quiet_until=st.sampled_from([None, NOW + timedelta(hours=1)]),
            expires_at=st.sampled_from([NOW + timedelta(minutes=1), NOW + timedelta(hours=6)]),
        ),
        max_size=30,
    ),
    st.builds(
        Limits,
        per_number=st.integers(1, 8),
        hourly=st.integers(1, 12),
        budget=st.sampled_from([None, Decimal(0), Decimal(1)]),
        critical_over_budget=st.booleans(),
    ),
)
def test_every_sms_has_one_fate_and_the_caps_hold(ones: list[Waiting], limits: Limits) -> None:
    verdict = decide(ones, limits, Usage(), NOW)
    fates = [one.delivery_id for one in verdict.send]
    fates += [one.delivery_id for others in verdict.fold.values() for one in others]
    fates += [one.delivery_id for one, _until, _because in verdict.hold]
    fates += [one.delivery_id for one, _because in verdict.refuse]
    assert len(fates) == len(set(fates))
    assert {one.delivery_id for one in ones if one.is_chosen} <= set(fates)
    assert all(until > NOW for _one, until, _because in verdict.hold)
    assert len(verdict.send) <= limits.hourly
    for number in (NUMBER, OTHER):
        assert sum(one.number == number for one in verdict.send) <= limits.per_number
    carriers = {one.delivery_id for one in verdict.send}
    assert set(verdict.fold) <= carriers or not all(one.is_chosen for one in ones)


def test_a_digest_tells_the_newest_of_each_group_and_the_worst_first() -> None:
    early, late = (changed(created_at=NOW + timedelta(minutes=minute)) for minute in (0, 5))
    assert condense(early, [late]) is late
    mild = changed(group_id="b", title="CPU", severity=20, firing_count=1, resolved_count=0, total_count=1)
    over = changed(group_id="c", title="Queue", status="resolved", firing_count=0, resolved_count=2, total_count=2)
    told = condense(mild, [over, late])
    assert told.title == "3 groups: Disk almost full on db-primary-1; CPU; (Queue)"
    assert (told.severity, told.status, told.group_id, told.kind) == (40, "firing", "", "digest")
    assert (told.firing_count, told.resolved_count, told.total_count) == (5, 3, 8)


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def sms(tenant: Tenant, **options: Any) -> Channel:
    raw = {"to": [NUMBER], "sender": "Alerts", "account_sid": ACCOUNT, **options}
    secrets = json.dumps({"auth_token": "test-token"})
    return make_channel(tenant, "sms", settings=raw, credentials=secrets, rate_per_minute=6_000)


def plan(tenant: Tenant, **options: Any) -> None:
    with tenant_context(tenant.pk):
        SmsPlan.objects.create(**options)


def spend(tenant: Tenant, channel: Channel, count: int, **options: Any) -> list[UUID]:
    texts = [changed(title=f"Thing {number}", group_id="", severity=20) for number in range(count)]
    return [put(channel, recipient=NUMBER, message=text, **options)[0] for text in texts]


def deliver(tenant: Tenant) -> None:
    while deliver_due(tenant.pk):
        pass


@pytest.mark.django_db
def test_each_sms_is_counted_with_what_it_costs(tenant: Tenant, twilio: FakeTwilio) -> None:
    plan(tenant, price=Decimal("0.09"), prices={"AT": "0.07"})
    spend(tenant, sms(tenant), 2)
    deliver(tenant)
    with tenant_context(tenant.pk):
        kept = list(SmsMessage.objects.values_list("number", "segments", "cost", "receipt"))
    assert kept == [(NUMBER, 1, Decimal("0.0700"), "")] * 2
    assert len(twilio.messages) == 2


@pytest.mark.django_db
def test_a_retry_is_counted_once(tenant: Tenant, twilio: FakeTwilio) -> None:
    twilio.script.append(ScriptedTwilio(refuse(429, 20429, "slow", {"Retry-After": "3"})))
    (delivery,) = spend(tenant, channel := sms(tenant), 1)
    deliver(tenant)
    let_pass(5, [tenant])
    deliver(tenant)
    assert get(channel, delivery).state == "delivered"
    with tenant_context(tenant.pk):
        assert SmsMessage.objects.count() == 1


@pytest.mark.django_db
def test_an_answer_that_was_lost_makes_no_second_sms(tenant: Tenant, twilio: FakeTwilio) -> None:
    twilio.script.append(ScriptedTwilio(Reply(drop=True), accept=True))
    (delivery,) = spend(tenant, channel := sms(tenant), 1)
    deliver(tenant)
    assert get(channel, delivery).state == "uncertain"
    let_pass(10, [tenant])
    assert reconcile_due() == 1
    settled = get(channel, delivery)
    assert (settled.state, settled.provider_id) == ("delivered", twilio.messages[0].sid)
    deliver(tenant)
    assert len(twilio.messages) == 1


@pytest.mark.django_db
def test_an_sms_that_never_arrived_is_sent_once_more(tenant: Tenant, twilio: FakeTwilio) -> None:
    twilio.script.append(ScriptedTwilio(Reply(drop=True)))
    (delivery,) = spend(tenant, channel := sms(tenant), 1)
    deliver(tenant)
    let_pass(10, [tenant])
    reconcile_due()
    deliver(tenant)
    assert get(channel, delivery).state == "delivered"
    assert len(twilio.messages) == 1


@pytest.mark.django_db
def test_the_night_is_told_in_the_morning_as_one(tenant: Tenant, twilio: FakeTwilio) -> None:
    here = datetime.now(UTC)
    hours = f"{here - timedelta(hours=1):%H:%M}-{here + timedelta(hours=8):%H:%M}"
    channel = sms(tenant, quiet_hours=hours, time_zone="UTC")
    ids = spend(tenant, channel, 3)
    urgent = put(channel, recipient=NUMBER, message=changed(severity=40))
    deliver(tenant)
    assert [message.body[:9] for message in twilio.messages] == ["CRITICAL:"]
    assert get(channel, urgent[0]).state == "delivered"
    held = get(channel, ids[0])
    assert held.state == "pending"
    assert held.state_reason == "Held back: quiet hours."
    assert held.expires_at > here + timedelta(hours=8)
    assert wait_seconds(ids[0]) == pytest.approx(8 * 3600, abs=120)
    with tenant_context(tenant.pk):
        channel.settings = channel.settings | {"quiet_hours": ""}
        channel.save()
    let_pass(8 * 3600 + 60, [tenant])
    deliver(tenant)
    assert len(twilio.messages) == 2
    assert "3 groups: Thing 0; Thing 1; Thing 2" in twilio.messages[1].body
    states = sorted(get(channel, one).state for one in ids)
    assert states == ["cancelled", "cancelled", "delivered"]
    told = next(get(channel, one) for one in ids if get(channel, one).state == "cancelled")
    code = twilio.messages[1].body[-6:-1]
    assert told.state_reason == f"Told within another SMS to the same number: {code}."


@pytest.mark.django_db
def test_a_storm_for_one_number_is_one_sms(tenant: Tenant, twilio: FakeTwilio) -> None:
    plan(tenant, per_number_hourly=5, reserve_percent=0)
    channel = sms(tenant)
    spend(tenant, channel, 12)
    deliver(tenant)
    assert len(twilio.messages) == 1
    assert "12 groups" in twilio.messages[0].body
    spend(tenant, channel, 4)
    deliver(tenant)
    assert len(twilio.messages) == 5
    (one,) = spend(tenant, channel, 1)
    deliver(tenant)
    assert "as many SMS as it may" in get(channel, one).state_reason
    assert 3000 < wait_seconds(one) <= 3600


@pytest.mark.django_db
def test_a_spent_budget_holds_then_ends_visibly(tenant: Tenant, twilio: FakeTwilio) -> None:
    plan(tenant, monthly_budget=Decimal("0.10"), price=Decimal("0.10"), reserve_percent=50)
    channel = sms(tenant)
    (one,) = spend(tenant, channel, 1, expires_in=timedelta(minutes=15))
    deliver(tenant)
    assert get(channel, one).state_reason == "Held back: the monthly budget for SMS is spent."
    let_pass(601, [tenant])
    deliver(tenant)
    ended = get(channel, one)
    assert (ended.state, len(twilio.messages)) == ("expired", 0)
    assert "budget for SMS was spent" in ended.state_reason


@pytest.mark.django_db
def test_stop_marks_the_number_and_later_sms_say_why(tenant: Tenant, twilio: FakeTwilio) -> None:
    twilio.opted_out.add(NUMBER)
    channel = sms(tenant)
    first = spend(tenant, channel, 1)[0]
    deliver(tenant)
    assert get(channel, first).state == "dead"
    with tenant_context(tenant.pk):
        assert list(SmsOptOut.objects.values_list("number", "source")) == [(NUMBER, "Twilio 21610")]
    second = spend(tenant, channel, 1)[0]
    deliver(tenant)
    assert get(channel, second).state == "expired"
    assert "STOP" in get(channel, second).state_reason
    assert len(twilio.calls) == 1


@pytest.mark.django_db
def test_the_statements_do_not_grow_with_the_messages(
    tenant: Tenant, twilio: FakeTwilio, django_assert_max_num_queries: Any
) -> None:
    channel = sms(tenant)
    spend(tenant, channel, 15)
    with django_assert_max_num_queries(30):
        deliver_due(tenant.pk, 15)
    assert len(twilio.messages) == 15


@pytest.mark.django_db
def test_other_kinds_pay_nothing_for_it(tenant: Tenant, provider: Any) -> None:
    channel = make_channel(tenant)
    put(channel, 3)
    with connection.execute_wrapper(_refuse_sms):
        deliver(tenant)
    with tenant_context(tenant.pk):
        assert Delivery.objects.filter(state="delivered").count() == 3


def _refuse_sms(execute: Any, sql: str, *rest: Any) -> Any:
    assert "sms_" not in sql
    return execute(sql, *rest)


@pytest.mark.parametrize("prices", [["AT"], {"at": "0.1"}, {"AT": 0.1}, {"AT": "-1"}, {"AT": "NaN"}, {"AUT": "1"}])
def test_wrong_prices_are_refused(prices: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        SmsPlan(prices=prices).clean_fields(exclude=["tenant"])
    assert list(caught.value.message_dict) == ["prices"]
