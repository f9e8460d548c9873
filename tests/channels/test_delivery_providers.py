"""The engine with real adapters, real connections and real threads: what readers get."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import connection, connections

from channels.delivery import deliver_due
from tenants.context import has_tenant_context
from tests.channels.deliveries import (
    deliver_all_due,
    get,
    let_pass,
    make_channel,
    message,
    outcomes,
    put,
    reconcile_due,
    states,
    sweep_leases,
    wait_seconds,
)
from tests.factories import make_tenant
from tests.fakes.http import FakeServer, Reply
from tests.fakes.slack import Scripted
from tests.fakes.smtp import FakeSMTP
from tests.fakes.webhook import FakeWebhook

SECRET = "whsec_" + "QUFB" * 8


@pytest.fixture
def hook() -> Iterator[tuple[FakeWebhook, str]]:
    fake = FakeWebhook(secrets=[SECRET])
    with FakeServer(fake) as server:
        yield fake, server.url


def slack_channel(tenant, **options):
    credentials = json.dumps({"token": "xoxb-test"})
    return make_channel(tenant, "slack", settings={"channel": "C0ALERTS"}, credentials=credentials, **options)


def hook_channel(tenant, url, **options):
    credentials = json.dumps({"secrets": [SECRET]})
    return make_channel(tenant, "webhook", settings={"url": url}, credentials=credentials, **options)


@pytest.mark.django_db
def test_a_message_reaches_slack_mail_and_webhook(slack, hook):
    tenant = make_tenant()
    fake, url = hook
    with FakeSMTP() as smtp:
        mail_settings = {
            "host": "127.0.0.1",
            "port": smtp.port,
            "security": "none",
            "to": ["olga@example.org"],
            "from_address": "alerts@example.org",
        }
        mail = make_channel(tenant, "email", settings=mail_settings)
        put(mail, recipient="olga@example.org", message=message("mail: disk full"))
        put(slack_channel(tenant), recipient="C0ALERTS", message=message("slack: disk full"))
        put(hook_channel(tenant, url), recipient=url, message=message("hook: disk full"))
        assert deliver_due(tenant.pk) == 3
        assert "mail: disk full" in smtp.arrived[0].message["Subject"]
    assert "slack: disk full" in slack.messages[0].text
    assert fake.arrived[0].signature == "valid"
    assert json.loads(fake.arrived[0].request.body)["data"]["title"] == "hook: disk full"


@pytest.mark.django_db
def test_slack_took_the_message_but_the_answer_was_lost(slack):
    tenant = make_tenant()
    channel = slack_channel(tenant)
    [delivery_id] = put(channel, recipient="C0ALERTS")
    slack.script.append(Scripted(Reply(drop=True), accept=True))
    deliver_due(tenant.pk)
    assert get(channel, delivery_id).state == "uncertain"
    let_pass(10, [tenant])
    reconcile_due()
    assert get(channel, delivery_id).state == "delivered"
    assert outcomes(channel, delivery_id) == ["ambiguous", "found"]
    assert len(slack.messages) == 1


@pytest.mark.django_db
def test_a_webhook_gets_the_same_id_on_every_try(hook):
    tenant = make_tenant()
    fake, url = hook
    channel = hook_channel(tenant, url)
    [delivery_id] = put(channel, recipient=url)
    fake.script.extend([Reply(503), Reply(200, drop=True)])
    for _ in range(3):
        deliver_due(tenant.pk)
        let_pass(10, [tenant])
    assert [arrival.webhook_id for arrival in fake.arrived] == [str(delivery_id)] * 3
    assert get(channel, delivery_id).state == "delivered"


@pytest.mark.django_db
def test_retry_after_of_a_webhook_is_obeyed(hook):
    tenant = make_tenant()
    fake, url = hook
    channel = hook_channel(tenant, url)
    [delivery_id] = put(channel, recipient=url)
    fake.script.append(Reply(429, headers={"Retry-After": "120"}))
    deliver_due(tenant.pk)
    assert 119 < wait_seconds(delivery_id) <= 120


def test_no_transaction_is_open_and_no_tenant_is_known_during_a_call(committed_db, provider):
    tenant = make_tenant()
    seen = []
    provider.script.append(lambda outgoing: seen.append((connection.in_atomic_block, has_tenant_context())))
    put(make_channel(tenant))
    assert deliver_due(tenant.pk) == 1
    assert seen == [(False, False)]


def test_the_attempt_is_on_record_while_the_call_is_made(committed_db, provider):
    tenant = make_tenant()
    channel = make_channel(tenant)
    [delivery_id] = put(channel)
    seen = []

    def look(outgoing):
        # A connection of its own sees only what is committed.
        watcher = threading.Thread(
            target=lambda: seen.append(outcomes(channel, delivery_id)) or connections.close_all()
        )
        watcher.start()
        watcher.join()

    provider.script.append(look)
    deliver_due(tenant.pk)
    assert seen == [["started"]]


def test_senders_side_by_side_send_each_message_once(committed_db, provider):
    tenant = make_tenant()
    channels = [make_channel(tenant), make_channel(tenant, "blind")]
    for channel in channels:
        put(channel, count=150)
    faults = []

    def work():
        try:
            deliver_all_due(tenant.pk)
        except Exception as error:
            faults.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sum((states(channel) for channel in channels), Counter()) == {"delivered": 300}
    assert set(provider.taken.values()) == {1}
    assert len(provider.taken) == 300


SENDER = """
import django
django.setup()
import sys, uuid
from channels.delivery import deliver_due
deliver_due(uuid.UUID(sys.argv[1]))
"""


@pytest.mark.processes
def test_a_sender_killed_in_the_middle_of_a_call_loses_nothing(committed_db, service_env, hook):
    tenant = make_tenant()
    fake, url = hook
    channel = hook_channel(tenant, url)
    [delivery_id] = put(channel, recipient=url)
    fake.script.append(Reply(200, hang=5.0))
    sender = subprocess.Popen([sys.executable, "-c", SENDER, str(tenant.pk)], env=service_env)
    until = time.monotonic() + 30
    while not fake.arrived and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(sender.pid, signal.SIGKILL)
    assert sender.wait() == -signal.SIGKILL
    assert outcomes(channel, delivery_id) == ["started"]
    let_pass(31, [tenant])
    assert sweep_leases() == 1
    let_pass(6, [tenant])
    deliver_due(tenant.pk)
    assert get(channel, delivery_id).state == "delivered"
    assert outcomes(channel, delivery_id) == ["crashed", "ok"]
    assert [arrival.webhook_id for arrival in fake.arrived] == [str(delivery_id)] * 2


@pytest.mark.django_db
def test_an_unreachable_receiver_is_tried_again():
    tenant = make_tenant()
    channel = hook_channel(tenant, "http://127.0.0.1:9/closed")
    [delivery_id] = put(channel, recipient="http://127.0.0.1:9/closed")
    deliver_due(tenant.pk)
    delivery = get(channel, delivery_id)
    assert delivery.state == "pending"
    assert outcomes(channel, delivery_id) == ["retryable"]
