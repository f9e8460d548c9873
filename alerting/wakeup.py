"""Wake-ups: tell a worker that a tenant has work, at best effort and without ever delaying the caller.

Nothing depends on a wake-up: the work is a row, and the relay finds it within a second. A bell in Redis
(SET NX) keeps a busy tenant from being announced again and again; the worker takes it down when it has
nothing left and then looks once more, so no ring is lost between its last look and the bell's fall.
"""

import os
import threading
import time
from collections.abc import Callable
from functools import cache
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string
from prometheus_client import Counter

log = structlog.get_logger(__name__)

INTAKE, GROUPS, DELIVERIES = "alerting.tasks.drain_intake", "alerting.tasks.flush_groups", "alerting.tasks.deliver"
ESCALATIONS = "alerting.tasks.escalate"
SLACK_ACTS = "alerting.tasks.do_slack_acts"
NOTIFY_CHANNEL = "wakeup"
# Longer than a duty goes on before it gives others their turn (duties.FAIR_SECONDS) and one slow batch of sends.
BELL_MILLISECONDS = 15_000
PAUSE_BETWEEN_ROUNDS = 0.02
PAUSE_AFTER_FAILURE = 1.0

wakeups = Counter("alerting_wakeups", "Wake-ups by what became of them", ["result"])


@cache
def broker() -> redis.Redis:
    """Return this process's connection to Redis; a dead Redis costs 0.3 s at most."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=0.2, socket_timeout=0.3, retry=None, retry_on_timeout=False
    )


@cache
def _publisher() -> Callable[..., None]:
    publish: Callable[..., None] = import_string(settings.TASK_PUBLISHER)
    return publish


def bell(task: str, tenant_id: UUID) -> str:
    """Return the name of the bell of one duty of one tenant."""
    return f"bell:{task}:{tenant_id}"


def announce(task: str, tenant_id: UUID) -> bool:
    """Publish a wake-up unless one is out already; False when the broker is away (never raises)."""
    is_hung = False
    try:
        is_hung = bool(broker().set(bell(task, tenant_id), 1, nx=True, px=BELL_MILLISECONDS))
        if is_hung:
            _publisher()(task, str(tenant_id))
        wakeups.labels("published" if is_hung else "coalesced").inc()
    except Exception as error:  # whatever the transport raises, the row is there and the relay looks
        wakeups.labels("failed").inc()
        log.warning("wake-up failed", task=task, error_class=type(error).__name__)
        if is_hung:
            # A bell without a message would make the next ring go unheard.
            take_bell_down(task, tenant_id)
        return False
    return True


def take_bell_down(task: str, tenant_id: UUID) -> None:
    """Let the next ring be heard; the caller looks for work once more afterwards."""
    try:
        broker().delete(bell(task, tenant_id))
    except redis.RedisError:
        return  # It falls by itself after BELL_MILLISECONDS.


class Ringer:
    """A thread of this process that announces work, many rings of one tenant as one."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin without rings and without a thread, as a forked child must: threads stay behind, locks come along."""
        self._wanted: set[tuple[str, UUID]] = set()
        self._signal = threading.Condition()
        self._is_running = False

    def ring(self, task: str, tenant_id: UUID) -> None:
        """Ask for a wake-up; returns at once."""
        with self._signal:
            self._wanted.add((task, tenant_id))
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="ringer", daemon=True).start()
            self._signal.notify()

    def _run(self) -> None:
        while True:
            with self._signal:
                while not self._wanted:
                    self._signal.wait()
                wanted, self._wanted = self._wanted, set()
            # Once the broker has failed, the relay is told at once: it looks for all that waits.
            is_heard = all(announce(task, tenant_id) for task, tenant_id in wanted)
            if not is_heard:
                _tell_relay()
            time.sleep(PAUSE_BETWEEN_ROUNDS if is_heard else PAUSE_AFTER_FAILURE)


def _tell_relay() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [NOTIFY_CHANNEL])
    except Exception as error:  # the relay looks once a second anyway
        log.warning("relay not told", error_class=type(error).__name__)
    finally:
        # This thread needs it only while the broker is away.
        connection.close()


_ringer = Ringer()
os.register_at_fork(after_in_child=_ringer.forget)
ring = _ringer.ring
