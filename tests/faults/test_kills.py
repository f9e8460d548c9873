"""kill -9 of the service's own processes in the middle of their work, and their orderly end."""

import time

import pytest

from tests.faults.ground import Crowd, Ground
from tests.stack import wait_for

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def test_web_killed_while_senders_post(ground: Ground, crowd: Crowd) -> None:
    with crowd.posting(senders=3):
        for _ in range(2):
            already = len(crowd.ledger.acked)
            wait_for(lambda seen=already: len(crowd.ledger.acked) > seen + 20)
            ground.stack.web.kill()
            ground.stack.web.start()
            ground.stack.wait_web()
    crowd.settle()
    crowd.judge(most_sends=1)
    assert crowd.ledger.statuses[0] > 0, "no request was cut off"
    # Each sender repeats with the same key what had no answer: in the end all of it is in, once.
    assert crowd.known() == crowd.ledger.tried


def test_worker_and_relay_killed_in_the_middle_of_drain_and_delivery(ground: Ground, crowd: Crowd) -> None:
    crowd.sink.pace = 0.25
    with crowd.posting(batch=4):
        for _ in range(2):
            already = len(crowd.sink.sends)
            wait_for(lambda seen=already: len(crowd.sink.sends) > seen + 6)
            # In the middle: calls are out, and requests wait or are being drained.
            ground.stack.kill_workers()
            ground.stack.relay.kill()
            ground.let_leases_end()
            for part in (ground.stack.relay, ground.stack.worker, ground.stack.notifier):
                part.start()
    crowd.sink.pace = 0.0
    settle_hurried(ground, crowd)
    crowd.judge(most_sends=3)
    assert crowd.in_doubt(), "no send was cut off"
    again = sum(count - 1 for count in crowd.sink.sends.values())
    assert again <= len(crowd.in_doubt()) * 2


def settle_hurried(ground: Ground, crowd: Crowd) -> None:
    """Wait for the end without waiting out every pause between tries."""

    def is_settled() -> bool:
        ground.hurry()
        time.sleep(0.2)
        return not any(crowd.waiting())

    wait_for(is_settled, 40, str(crowd.waiting()))


def test_two_relays_alone_send_nothing_twice(ground: Ground, crowd: Crowd) -> None:
    ground.stack.kill_workers()
    other = ground.stack.part("relay-2", ground.stack.relay.command).start()
    ground.stack.extra.append(other)
    crowd.sink.pace = 0.02
    try:
        with crowd.posting(batch=5):
            wait_for(lambda: len(crowd.sink.sends) > 100, 40)
        crowd.settle()
        crowd.judge(most_sends=1)
        hosts = ground.sql("SELECT count(*) FROM heartbeat WHERE component = 'relay' AND at > now() - interval '30 s'")
        assert hosts[0][0] >= 2
    finally:
        other.kill()
        ground.stack.extra.remove(other)


def test_all_workers_stopped_is_noticed_within_the_promise(ground: Ground, crowd: Crowd) -> None:
    """Valkey lives, so wake-ups go out as ever; nobody takes them."""
    ground.stack.kill_workers()
    began = time.monotonic()
    crowd.post(1)
    wait_for(lambda: crowd.sink.sends, 20)
    assert crowd.sink.first_at - began < 9, "about five seconds, once for all stages"
    crowd.settle()
    crowd.judge(most_sends=1)


@pytest.mark.parametrize(("name", "grace"), [("relay", 10.0), ("notifier", 10.0)])
def test_a_sender_asked_to_end_ends_its_calls_and_gives_the_rest_back(
    ground: Ground, crowd: Crowd, name: str, grace: float
) -> None:
    part, other = ground.stack.relay, ground.stack.notifier
    if name == "notifier":
        part, other = other, part
    # It sends alone: another sender would take over what it leaves.
    other.kill()
    crowd.sink.pace = 1.0
    crowd.post(60)
    wait_for(lambda: crowd.sink.sends, 20)
    _seconds, code = part.terminate(grace)
    assert code == 0
    leased = "SELECT count(*) FROM delivery_queue WHERE tenant_id = %s AND state = 'leased'"
    assert ground.sql(leased, crowd.tenant.pk) == [(0,)]
    assert crowd.waiting()[2] > 0, "it ended before it was asked to"
    crowd.sink.pace = 0.0
    ground.stack.start()
    settle_hurried(ground, crowd)
    crowd.judge()


@pytest.mark.parametrize("name", ["web", "worker"])
def test_who_is_asked_to_end_finishes_what_it_has_begun(ground: Ground, crowd: Crowd, name: str) -> None:
    part = getattr(ground.stack, name)
    with crowd.posting():
        wait_for(lambda: len(crowd.ledger.acked) > 20)
        part.terminate(10)
        part.start()
        ground.stack.wait_web()
    crowd.settle()
    crowd.judge(most_sends=1)
