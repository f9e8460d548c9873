"""The relay: sees to it that waiting work is done, with Celery when it works and by itself when it does not.

It reads only the queue tables. Two or more relays may run: claims skip what another one holds.
"""

import os
import select
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

import psycopg2
import structlog
from django.db import Error, close_old_connections, connection, connections
from prometheus_client import Counter

from alerting import wakeup
from alerting.duties import DUTIES, waiting_tenants
from alerting.health import beat
from channels.delivery import engine, leases, reconcile

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
SWEEP_SECONDS = 5.0
BEAT_SECONDS = 10.0
# A wake-up that nobody took for this long is done here.
OVERDUE_SECONDS = 5.0
# For so long a tenant whose wake-ups nobody took is served here without waiting for that again.
OWN_SECONDS = 30.0
THREADS = 4
# Providers take as long as they take: what waits for them has threads of its own.
SENDERS = 8
SENDING = frozenset({"deliveries", "reconcile"})
PAUSE_AFTER_FAULT = 0.5

own_work = Counter("alerting_relay_own_work", "Pieces of work the relay did itself", ["duty"])


class Relay:
    """The loop of `manage.py relay`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="relay")
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="relay-sender")
        self._busy: set[tuple[str, UUID]] = set()
        self._lock = threading.Lock()
        # Until when a tenant's work is done here without asking: nobody takes its wake-ups just now.
        self._own_tenants: dict[UUID, float] = {}
        self._next_sweep = self._next_beat = 0.0
        self._instance = f"{socket.gethostname()}:{os.getpid()}"

    def stop(self, *_: object) -> None:
        """Let calls that are out end, give back what was leased for later, and return from `run`."""
        self._stopping.set()
        engine.stop_sending()

    def run(self) -> None:
        """Work until stopped; a database that is away is waited for, and no other fault ends it either."""
        while not self._stopping.is_set():
            try:
                self._listen()
                while not self._stopping.is_set():
                    self.round()
                    self._wait()
            except (Error, psycopg2.Error, OSError, ValueError) as error:
                log.warning("database away", error_class=type(error).__name__)
                self._begin_anew()
            except Exception:  # whatever broke, people are told by nobody else when workers are gone: go on anew
                log.exception("round failed")
                self._begin_anew()
        for pool in (self._pool, self._senders):
            pool.shutdown(wait=True, cancel_futures=True)
        connections.close_all()

    def round(self) -> None:
        """Look once: wake workers for what is due, do what nobody took, sweep."""
        # A broker that failed once is not asked again this round: each try may cost its time-out.
        is_broker_up = True
        for duty in DUTIES:
            own = self._take_over(waiting_tenants(duty, OVERDUE_SECONDS))
            for tenant_id in waiting_tenants(duty):
                if tenant_id not in own and is_broker_up:
                    is_broker_up = wakeup.announce(duty.task, tenant_id)
                if tenant_id in own or not is_broker_up:
                    self._do_here(duty.name, tenant_id, partial(duty.work, tenant_id))
        self._sweep()

    def _take_over(self, overdue: list[UUID]) -> set[UUID]:
        """Return whose work is done here: what follows from overdue work is not made to wait as long again."""
        now = time.monotonic()
        self._own_tenants |= dict.fromkeys(overdue, now + OWN_SECONDS)
        self._own_tenants = {tenant_id: until for tenant_id, until in self._own_tenants.items() if now < until}
        return set(self._own_tenants)

    def _begin_anew(self) -> None:
        connections.close_all()
        # Not Event.wait: the handler of a signal could not set an event whose lock this thread holds.
        time.sleep(PAUSE_AFTER_FAULT)

    def _do_here(self, name: str, tenant_id: UUID, work: Callable[[], object]) -> None:
        """Do a piece of work in a pool unless it is being done."""
        with self._lock:
            if (name, tenant_id) in self._busy:
                return
            self._busy.add((name, tenant_id))
        own_work.labels(name).inc()
        pool = self._senders if name in SENDING else self._pool
        pool.submit(self._work, name, tenant_id, work)

    def _work(self, name: str, tenant_id: UUID, work: Callable[[], object]) -> None:
        close_old_connections()
        try:
            work()
        except Exception:  # one tenant's work must not end the pool's thread; its rows stay due and are found again
            log.exception("work failed", duty=name, tenant_id=str(tenant_id))
            connection.close()
        finally:
            with self._lock:
                self._busy.discard((name, tenant_id))

    def _sweep(self) -> None:
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + BEAT_SECONDS
            beat("relay", self._instance)
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP_SECONDS
            # Tenant by tenant: what cannot be swept or cleared up in one stops no other.
            for tenant_id in leases.tenants_with_late():
                self._do_here("leases", tenant_id, partial(leases.sweep_tenant, tenant_id))
            for tenant_id in reconcile.tenants_in_doubt():
                self._do_here("reconcile", tenant_id, partial(reconcile.reconcile_tenant, tenant_id))

    def _listen(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {wakeup.NOTIFY_CHANNEL}")

    def _wait(self) -> None:
        """Sleep until somebody rings, at most POLL_SECONDS."""
        raw: Any = connection.connection
        deadline = time.monotonic() + POLL_SECONDS
        # Rings that came along with the answer to a statement of this round are here already.
        while not raw.notifies and not self._stopping.is_set() and (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([raw], [], [], min(left, 0.2))
            if ready:
                raw.poll()
        raw.notifies.clear()
