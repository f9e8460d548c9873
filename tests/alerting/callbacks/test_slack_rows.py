"""Presses in Slack are rows: what the process that took them cannot do is done by a worker, once."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from alerting import duties, lifecycle, wakeup
from alerting import relay as relaying
from alerting.callbacks import slack_acts, slack_rows
from alerting.exclusive import take_turn
from alerting.models import SlackAct, Timer
from channels.models import CallbackCall, Channel
from channels.slack import answering
from tenants.context import tenant_context
from tenants.models import Membership
from tests.alerting.callbacks.test_slack import World, world
from tests.factories import make_member, make_tenant

pytestmark = pytest.mark.usefixtures("committed_db")
__all__ = ["world"]
WAITS = "It is being done; you are told here as soon as it is."


@contextmanager
def busy(world: World) -> Iterator[None]:
    """Have somebody else hold the tenant's turn, in a transaction of their own."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with tenant_context(world.scene.id):
                take_turn(world.scene.id)
                held.set()
                release.wait(60)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(20)
        yield
    finally:
        release.set()
        thread.join(20)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    rings: list[tuple[str, Any]] = []
    monkeypatch.setattr(wakeup, "ring", lambda task, tenant_id: rings.append((task, tenant_id)))
    return rings


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process that takes a press end right after its commit."""

    def die(*_: Any) -> None:
        raise SystemError("the process is gone")

    monkeypatch.setattr(slack_rows, "do_now", die)


def acts(world: World) -> list[tuple[str, str]]:
    with world.scene.context():
        return list(SlackAct.objects.order_by("id").values_list("act", "outcome"))


def waits(world: World) -> int:
    return Timer.objects.filter(tenant_id=world.scene.id, kind="slack_act").count()


def let_grace_pass(world: World) -> None:
    timers = Timer.objects.filter(tenant_id=world.scene.id, kind="slack_act")
    timers.update(due_at=Now() - timedelta(seconds=1))


def acknowledgements(world: World) -> int:
    return world.scene.kinds().count("acknowledged")


def test_a_press_while_others_have_the_turn_is_answered_in_time_and_done_afterwards(world: World, rung: list) -> None:
    user = world.link()
    rung.clear()
    with busy(world):
        assert world.click("acknowledge").status_code == 200
        # Answered although the turn never came.
        assert world.scene.group().status == "firing"
        assert [said["text"] for said in world.said] == [WAITS]
        assert rung == [(wakeup.SLACK_ACTS, world.scene.id)]
        assert world.outcomes() == ["waiting"]
    assert slack_rows.LOCK_TIMEOUT + timedelta(seconds=answering.TIMEOUT) < timedelta(seconds=3)
    slack = next(duty for duty in duties.DUTIES if duty.name == "slack_acts")
    assert duties.waiting_tenants(slack) == [world.scene.id]
    assert duties.do_slack_acts(world.scene.id) == 1
    assert world.scene.group().acknowledged_by == f"{user.username} (Slack)"
    assert [said["text"] for said in world.said] == [WAITS, "Acknowledged."]
    assert duties.do_slack_acts(world.scene.id) == 0
    assert (acknowledgements(world), waits(world)) == (1, 0)
    assert (acts(world), world.outcomes()) == ([("acknowledge", "done")], ["done"])


def test_what_a_process_took_before_it_died_is_done_by_the_relay_once(
    world: World, dying: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.link()
    stamp = time.time()
    assert world.click("acknowledge", at=stamp).status_code == 500
    # The same call once more is the same row.
    assert world.click("acknowledge", at=stamp).status_code == 401
    assert (acts(world), waits(world), world.said) == ([("acknowledge", "")], 1, [])
    assert duties.do_slack_acts(world.scene.id) == 0, "it is left to the process that took it, for a while"
    let_grace_pass(world)
    # No worker lives: the relay does it itself.
    monkeypatch.setattr(wakeup, "announce", lambda task, tenant_id: False)
    relay = relaying.Relay()
    relay.round()
    relay.round()
    for pool in (relay._pool, relay._senders):
        pool.shutdown(wait=True)
    assert world.scene.group().status == "acknowledged"
    assert [said["text"] for said in world.said] == ["Acknowledged."]
    assert (acknowledgements(world), waits(world)) == (1, 0)
    assert acts(world) == [("acknowledge", "done")]


def test_workers_at_the_same_press_do_it_once(world: World, dying: None) -> None:
    world.link()
    world.submit("comment", {"type": "plain_text_input", "value": "I am on it"})
    let_grace_pass(world)
    counts: list[int] = []

    def work() -> None:
        try:
            counts.append(duties.do_slack_acts(world.scene.id))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(counts) == [0, 0, 0, 1]
    assert world.scene.kinds().count("comment") == 1


def test_the_right_is_asked_for_when_it_is_done(world: World, dying: None) -> None:
    user = world.link()
    world.click("acknowledge")
    with world.scene.context():
        Membership.objects.filter(user=user).delete()
    let_grace_pass(world)
    assert duties.do_slack_acts(world.scene.id) == 1
    assert world.scene.group().status == "firing"
    assert "not a member" in world.said[0]["text"]
    assert acts(world) == [("acknowledge", "not_linked")]


def test_an_old_press_ends_with_its_reason(world: World, dying: None) -> None:
    world.link()
    world.click("resolve")
    let_grace_pass(world)
    with world.scene.context():
        SlackAct.objects.update(received_at=Now() - slack_rows.EXPIRY - timedelta(seconds=1))
    assert duties.do_slack_acts(world.scene.id) == 1
    assert world.scene.group().status == "firing"
    assert "press again" in world.said[0]["text"]
    assert (acts(world), world.outcomes(), waits(world)) == ([("resolve", "expired")], ["expired"], 0)


def test_a_dialogs_answer_that_waited_is_told_where_the_dialog_was_opened(world: World, rung: list) -> None:
    world.link()
    world.click("silence_until")
    held = world.fake.views[0]["private_metadata"]
    later = {"type": "datetimepicker", "selected_date_time": int(time.time()) + 7_200}
    with busy(world):
        answer = world.submit("silence_until", later, value=held)
        assert (answer.status_code, answer.content) == (200, b"")
    assert [said["text"] for said in world.said] == [WAITS]
    assert duties.do_slack_acts(world.scene.id) == 1
    assert world.said[-1]["text"] == "Silenced."
    with world.scene.context():
        row = SlackAct.objects.get()
    assert (row.outcome, row.inputs, row.response_url) == ("done", {}, "")


def test_what_breaks_ends_and_does_not_keep_others_waiting(
    world: World, dying: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.link()
    world.click("resolve")
    world.click("acknowledge")
    let_grace_pass(world)
    good = slack_acts.act

    def act(principal: Any, name: str, *more: Any) -> str:
        if name == "resolve":
            raise RuntimeError("broken")
        return good(principal, name, *more)

    monkeypatch.setattr(slack_acts, "act", act)
    assert duties.do_slack_acts(world.scene.id) == 2
    assert acts(world) == [("resolve", "failed"), ("acknowledge", "done")]
    assert world.said[0]["text"] == "Something broke here; nothing was done."


def test_a_press_whose_channel_was_removed_is_dropped(world: World, dying: None) -> None:
    world.link()
    world.click("acknowledge")
    let_grace_pass(world)
    with world.scene.context():
        SlackAct.objects.all().delete()
    assert duties.do_slack_acts(world.scene.id) == 1
    assert (waits(world), world.scene.group().status) == (0, "firing")


def test_presses_of_a_tenant_are_no_business_of_others(world: World, dying: None) -> None:
    world.link()
    world.click("acknowledge")
    let_grace_pass(world)
    other = make_tenant()
    make_member(other)
    with tenant_context(other.pk), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM slack_act")
        assert cursor.fetchone() == (0,)
        cursor.execute("UPDATE slack_act SET outcome = 'done'")
        assert cursor.rowcount == 0
        assert not CallbackCall.objects.exists()
        assert not Channel.objects.exists()
    assert duties.do_slack_acts(other.pk) == 0
    assert (acts(world), waits(world)) == ([("acknowledge", "")], 1)
    lifecycle.resolve(world.scene.principal, world.scene.group().pk)
    assert duties.do_slack_acts(world.scene.id) == 1
    assert json.dumps(world.said).count("This group is resolved.") == 1
