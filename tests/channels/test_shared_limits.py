"""Limits that channels share: of a tenant, a Slack workspace, a mail server; they put off and never drop."""

import itertools
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.adapters.slack_errors import classify
from channels.delivery import deliver_due
from channels.delivery.sharing import Bucket, Throttled, open_share, throttle
from channels.models import WHOLE_TENANT, SharedLimit
from channels.registry import adapter
from tenants.context import tenant_context
from tests.channels.deliveries import deliver_all_due, get, let_pass, make_channel, put, states, throttled, wait_seconds
from tests.factories import make_tenant

NOW = datetime(2026, 3, 14, tzinfo=UTC)
ONE, OTHER = UUID(int=1), UUID(int=2)


def account(tenant, name="w1", **options):
    return make_channel(tenant, "accounted", settings={"account": name}, **options)


def limits_of(tenant) -> dict[str, SharedLimit]:
    with tenant_context(tenant.pk):
        return {limit.key: limit for limit in SharedLimit.objects.all()}


def keep_at(tenant, key: str, tokens: float) -> None:
    """Give a bucket so many tokens and no more for an hour, however slow the machine is."""
    later = datetime.now(UTC) + timedelta(hours=1)
    with tenant_context(tenant.pk):
        assert SharedLimit.objects.filter(key=key).update(tokens=tokens, tokens_at=later)


@pytest.mark.django_db
class TestAnAccount:
    def test_its_channels_together_send_what_it_allows(self, tenant, provider):
        channels = [account(tenant) for _ in range(4)]
        put(channels[0])
        deliver_all_due(tenant.pk)
        keep_at(tenant, "accounted:w1", tokens=10)
        for channel in channels:
            put(channel, count=5)
        deliver_all_due(tenant.pk)
        assert sum(provider.calls.values()) == 1 + 10, "each channel alone could have sent all of its own"
        waits = sorted(wait_seconds(one) for channel in channels for one in _waiting(channel))
        apart = [later - earlier for earlier, later in itertools.pairwise(waits)]
        assert apart == pytest.approx([1] * 9, abs=0.05), "one after the other, whatever the channel"
        for _ in range(5):
            let_pass(3600, [tenant])
            deliver_all_due(tenant.pk)
        assert sum((states(channel) for channel in channels), Counter()) == {"delivered": 21}
        assert max(provider.calls.values()) == 1

    def test_what_leads_elsewhere_goes_on(self, tenant, provider):
        put(account(tenant), count=30)
        others = [account(tenant, "w2"), make_channel(tenant)]
        for channel in others:
            put(channel, count=8)
        deliver_all_due(tenant.pk)
        assert all(states(channel) == {"delivered": 8} for channel in others)

    def test_the_urgent_of_all_its_channels_goes_first(self, tenant, provider):
        put(account(tenant), count=30)
        urgent = account(tenant)
        put(urgent, count=5, priority=1)
        deliver_due(tenant.pk)
        assert states(urgent) == {"delivered": 5}

    def test_a_person_may_lower_it(self, tenant, provider):
        channel = account(tenant)
        put(channel)
        deliver_all_due(tenant.pk)
        with tenant_context(tenant.pk):
            SharedLimit.objects.exclude(key=WHOLE_TENANT).update(rate_per_minute=1)
        put(channel, count=3)
        deliver_all_due(tenant.pk)
        assert states(channel) == {"delivered": 2, "pending": 2}, "a burst is never less than one message"

    def test_two_tenants_that_use_one_account_do_not_see_each_other(self, tenant, provider):
        channels = [account(tenant), account(make_tenant())]
        for channel in channels:
            put(channel, count=10)
            deliver_all_due(channel.tenant_id)
        assert all(states(channel) == {"delivered": 10} for channel in channels)


@pytest.mark.django_db
class TestAskedToSlowDown:
    def test_one_channel_that_is_too_fast_stops_no_other(self, tenant, provider):
        fast, calm = account(tenant), account(tenant)
        put(fast)
        provider.script.append(throttled(600))
        deliver_due(tenant.pk)
        put(fast)
        put(calm, count=3)
        deliver_all_due(tenant.pk)
        assert states(calm) == {"delivered": 3}
        assert min(map(wait_seconds, _waiting(fast))) > 580

    def test_a_second_channel_shows_that_the_account_is_meant(self, tenant, provider):
        channels = [account(tenant) for _ in range(3)]
        for channel in channels[:2]:
            put(channel)
            provider.script.append(throttled(600))
            deliver_due(tenant.pk)
        elsewhere = account(tenant, "w2")
        for channel in (channels[2], elsewhere):
            put(channel, count=2)
        deliver_all_due(tenant.pk)
        assert states(channels[2]) == {"pending": 2}
        assert states(elsewhere) == {"delivered": 2}
        assert limits_of(tenant)["accounted:w1"].blocked_reason == "HTTP 429"
        let_pass(601, [tenant])
        for _ in range(10):
            deliver_all_due(tenant.pk)
            let_pass(10, [tenant])
        assert [states(channel) for channel in channels] == [{"delivered": 1}, {"delivered": 1}, {"delivered": 2}]

    def test_a_provider_that_names_the_account_is_taken_at_its_word(self, tenant, provider):
        first, second = account(tenant), account(tenant)
        put(first)
        provider.script.append(throttled(900, is_shared=True))
        deliver_due(tenant.pk)
        [held] = put(second)
        assert deliver_due(tenant.pk) == 0
        assert 0 < wait_seconds(held) <= 900
        assert get(second, held).attempts == 0


@pytest.mark.django_db
class TestTheTenant:
    def test_its_channels_together_send_what_its_limit_allows(self, tenant, provider):
        channels = [make_channel(tenant) for _ in range(3)]
        put(channels[0])
        deliver_all_due(tenant.pk)
        keep_at(tenant, WHOLE_TENANT, tokens=4)
        for channel in channels:
            put(channel, count=4)
        deliver_due(tenant.pk)
        assert sum((states(channel) for channel in channels), Counter()) == {"delivered": 1 + 4, "pending": 8}

    def test_a_claim_reads_and_writes_all_its_limits_at_once(self, tenant, provider):
        counts = []
        for accounts in (1, 6):
            channels = [account(tenant, f"a{accounts}-{number}") for number in range(accounts)]
            for channel in channels:
                put(channel)
            deliver_all_due(tenant.pk)
            for channel in channels:
                put(channel)
            with CaptureQueriesContext(connection) as captured:
                deliver_due(tenant.pk)
            counts.append(sum("shared_limit" in query["sql"] for query in captured))
        assert counts == [2, 2]


def _waiting(channel):
    with tenant_context(channel.tenant_id):
        return list(channel.deliveries.filter(state="pending").values_list("pk", flat=True))


class TestOneBucket:
    def test_a_bucket_never_used_is_full(self):
        assert open_share(Bucket("k", 60), NOW).allowed == 10

    def test_the_later_of_two_waits_holds(self):
        asked = [Throttled("k", ONE, 60, "slow", is_shared=True), Throttled("k", OTHER, 5, "slow", is_shared=True)]
        assert throttle(Bucket("k", 60), asked, NOW).blocked_until == NOW + timedelta(seconds=60)

    def test_the_same_channel_twice_is_still_one_channel(self):
        asked = [Throttled("k", ONE, 60, "slow")] * 2
        assert throttle(Bucket("k", 60), asked, NOW).blocked_until is None

    def test_another_channel_after_the_first_waited_is_no_sign(self):
        bucket = throttle(Bucket("k", 60), [Throttled("k", ONE, 5, "slow")], NOW)
        later = throttle(bucket, [Throttled("k", OTHER, 5, "slow")], NOW + timedelta(seconds=6))
        assert later.blocked_until is None


class TestWhatIsShared:
    def test_tokens_of_one_workspace_share_its_number(self):
        slack = adapter("slack")
        settings = slack.settings_from({"channel": "C0ALERTS"})

        def key(token: str) -> str:
            return slack.account(settings, slack.credentials_from({"token": token})).key

        assert key("xoxb-1234567890-1-secret") == key("xoxb-1234567890-2-other") == "1234567890"
        other = key("xoxe.xoxb-1-secretsecret")
        assert other != key("xoxe.xoxb-1-othersecret")
        assert "secret" not in other

    def test_a_mail_server_is_shared_by_its_login(self):
        email = adapter("email")

        def key(host: str, **credentials: str) -> str:
            settings = {"to": ["a@example.com"], "from_address": "b@example.com", "host": host}
            return email.account(email.settings_from(settings), email.credentials_from(credentials)).key

        one = {"user": "one", "password": "p"}
        assert key("Mail.example.com", **one) == key("mail.example.com", **one)
        assert key("mail.example.com", **one) != key("mail.example.com", user="two", password="p")
        assert key("mail.example.com") != key("mail.example.org")

    def test_slack_says_when_the_whole_workspace_is_too_fast(self):
        from slack_sdk.errors import SlackApiError
        from slack_sdk.web import SlackResponse

        def error(code: str, status: int = 200) -> SlackApiError:
            data = {"ok": False, "error": code}
            response = SlackResponse(
                client=None, http_verb="POST", api_url="", req_args={}, data=data, headers={}, status_code=status
            )
            return SlackApiError(json.dumps(data), response)

        assert classify(error("message_limit_exceeded")).is_shared
        assert not classify(error("ratelimited", 429)).is_shared
