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

import structlog
from django.db import DatabaseError, close_old_connections, connection, connections
from prometheus_client import Counter

from alerting import wakeup
from alerting.duties import DUTIES, waiting_tenants
from alerting.health import beat
from channels.delivery.leases import sweep_leases
from channels.delivery.reconcile import reconcile_due

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
SWEEP_SECONDS = 5.0
BEAT_SECONDS = 10.0
# A wake-up that nobody took for this long is done here.
OVERDUE_SECONDS = 5.0
THREADS = 4

own_work = Counter("alerting_relay_own_work", "Pieces of work the relay did itself", ["duty"])


class Relay:
    """The loop of `manage.py relay`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="relay")
        self._busy: set[tuple[str, UUID | None]] = set()
        self._lock = threading.Lock()
        self._next_sweep = self._next_beat = 0.0
        self._instance = f"{socket.gethostname()}:{os.getpid()}"

    def stop(self, *_: object) -> None:
        """Finish what is in hand and return from `run`."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped; a database that is away is waited for."""
        while not self._stopping.is_set():
            try:
                self._listen()
                while not self._stopping.is_set():
                    self.round()
                    self._wait()
            except (DatabaseError, OSError, ValueError) as error:
                log.warning("database away", error_class=type(error).__name__)
                connections.close_all()
                self._stopping.wait(0.5)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def round(self) -> None:
        """Look once: wake workers for what is due, do what nobody took, sweep."""
        # A broker that failed once is not asked again this round: each try may cost its time-out.
        is_broker_up = True
        for duty in DUTIES:
            overdue = set(waiting_tenants(duty, OVERDUE_SECONDS))
            for tenant_id in waiting_tenants(duty):
                if tenant_id not in overdue and is_broker_up:
                    is_broker_up = wakeup.announce(duty.task, tenant_id)
                if tenant_id in overdue or not is_broker_up:
                    self._do_here(duty.name, tenant_id, partial(duty.work, tenant_id))
        self._sweep()

    def _do_here(self, name: str, tenant_id: UUID | None, work: Callable[[], object]) -> None:
        """Do a piece of work in the pool unless it is being done."""
        with self._lock:
            if (name, tenant_id) in self._busy:
                return
            self._busy.add((name, tenant_id))
        own_work.labels(name).inc()
        self._pool.submit(self._work, name, tenant_id, work)

    def _work(self, name: str, tenant_id: UUID | None, work: Callable[[], object]) -> None:
        close_old_connections()
        try:
            work()
        except Exception:
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
            sweep_leases()
            # Asks providers, which takes as long as it takes.
            self._do_here("reconcile", None, reconcile_due)

    def _listen(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {wakeup.NOTIFY_CHANNEL}")

    def _wait(self) -> None:
        """Sleep until somebody rings, at most POLL_SECONDS."""
        raw: Any = connection.connection
        deadline = time.monotonic() + POLL_SECONDS
        while not self._stopping.is_set() and (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([raw], [], [], min(left, 0.2))
            if ready:
                raw.poll()
                if raw.notifies:
                    raw.notifies.clear()
                    return
