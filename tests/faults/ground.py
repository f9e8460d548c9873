"""What every fault is judged by: a ledger of what was accepted, a sink of what was told, and the database between."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection

from alerting.auditor import audit
from config.embedded.postgres import PostgresServer
from config.embedded.valkey import ValkeyServer
from tests.factories import make_key, make_tenant
from tests.fakes.http import FakeServer, Reply, Request
from tests.faults.slacks import Slacks
from tests.stack import Stack, rows, wait_for

_number = itertools.count(1)
SECRET = "whsec_" + "a2" * 16


@dataclass
class Ground:
    """The service and the servers it stands on."""

    stack: Stack
    postgres: PostgresServer
    valkey: ValkeyServer
    slacks: Slacks

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask as the superuser."""
        with closing(self.postgres.connect("alerting")) as superuser:
            return rows(superuser, statement, *values)

    def let_leases_end(self) -> None:
        """Let the half minute of a dead sender's lease be over; nobody may be sending now."""
        self.sql("UPDATE delivery_queue SET lease_until = now() - interval '1 second' WHERE state = 'leased'")

    def hurry(self) -> None:
        """Make due what is put off to another try."""
        self.sql(
            "UPDATE delivery_queue SET next_attempt_at = now() WHERE state = 'pending' AND next_attempt_at > now()"
        )

    def let_pauses_end(self) -> None:
        """Let what waits for a provider to recover, or to be asked about a doubt, be due."""
        self.hurry()
        self.sql(
            "UPDATE delivery_queue SET next_attempt_at = now() WHERE state = 'uncertain' AND next_attempt_at"
            " BETWEEN now() AND now() + interval '100 seconds'"
        )
        self.sql(
            "UPDATE destination_health SET blocked_until = now(), tokens_at = least(tokens_at, now())"
            " WHERE blocked_until > now()"
        )


class Sink:
    """A webhook receiver that writes down every request; `pace` is how long it takes to answer."""

    def __init__(self, pace: float = 0.0) -> None:
        self.pace = pace
        self.sends: Counter[str] = Counter()
        self.told: defaultdict[str, set[str]] = defaultdict(set)
        self.first_at = 0.0
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        said = json.loads(request.body)
        with self._lock:
            self.first_at = self.first_at or time.monotonic()
            delivery = request.headers["webhook-id"]
            self.sends[delivery] += 1
            for one in said["data"]["alerts"]:
                self.told[one["labels"]["uid"]].add(delivery)
        return Reply(200, b"{}", hang=self.pace)


class Ledger:
    """Every request before and after it was made, on disk before anything else happens."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a")
        self.tried: set[str] = set()
        self.acked: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.refused_without_a_time = 0
        self._lock = threading.Lock()

    def before(self, uids: list[str]) -> None:
        self._write({"try": uids})
        with self._lock:
            self.tried.update(uids)

    def after(self, uids: list[str], status: int, retry_after: str | None) -> None:
        self._write({"uids": uids, "status": status})
        with self._lock:
            self.statuses[status] += 1
            if status == 202:
                self.acked.update(uids)
            elif status and not retry_after:
                self.refused_without_a_time += 1

    def _write(self, line: dict[str, Any]) -> None:
        with self._lock:
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()
            os.fsync(self.file.fileno())


@dataclass
class Crowd:
    """One tenant whose senders post while a fault happens; each alert is a group and so a message of its own."""

    ground: Ground
    folder: Path
    sink: Sink = field(default_factory=Sink)
    is_over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.name = f"crowd-{next(_number)}"
        self.ledger = Ledger(self.folder / f"{self.name}.ledger")
        self.tenant = make_tenant(self.name)
        self.token = make_key(self.tenant)
        self.server = FakeServer(self.sink).start()
        hook = {"name": "hook", "kind": "webhook", "rate_per_minute": 100_000}
        hook |= {"settings": {"url": self.server.url}, "credentials": {"secrets": [SECRET]}}
        channel = self._make("channels", hook)
        timers = {"group_wait": 0, "group_interval": 1, "repeat_interval": 86_400}
        self._make("routes", {"name": "all", "parent": None, "channels": [channel], **timers})
        self._make("grouping-rules", {"name": "one each", "group_by": ["uid"]})

    def _make(self, path: str, body: Any) -> str:
        status, said, _headers = self.ground.stack.request("POST", f"/api/v1/{path}", body, self.token)
        assert status == 201, said
        return str(said["id"])

    def post(self, count: int, give_up_after: float = 30) -> list[str]:
        """Send one request of so many alerts, again with the same key until it is accepted."""
        uids = [f"{self.name}-{next(_number)}" for _ in range(count)]
        body = [{"labels": {"alertname": "Fault", "uid": uid}, "severity": "critical"} for uid in uids]
        until = time.monotonic() + give_up_after
        self.ledger.before(uids)
        while time.monotonic() < until:
            status, retry_after = self._try(body, uids[0])
            self.ledger.after(uids, status, retry_after)
            if status == 202:
                return uids
            time.sleep(0.05)
        return uids

    def _try(self, body: Any, key: str) -> tuple[int, str | None]:
        try:
            answer = self.ground.stack.request(
                "POST", "/api/v1/alerts", body, self.token, timeout=8, Idempotency_Key=key
            )
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        return answer[0], answer[2].get("Retry-After")

    @contextmanager
    def posting(self, senders: int = 2, batch: int = 2, pause: float = 0.02) -> Iterator[None]:
        """Keep posting while the block lasts; all requests have had their answer at its end."""

        def send() -> None:
            while not self.is_over.is_set():
                self.post(batch)
                time.sleep(pause)

        threads = [threading.Thread(target=send) for _ in range(senders)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join(60)

    def known(self) -> set[str]:
        """The alerts in the database."""
        found = self.ground.sql("SELECT labels->>'uid' FROM alert WHERE tenant_id = %s", self.tenant.pk)
        return {row[0] for row in found}

    def waiting(self) -> tuple[int, ...]:
        """How much is still to be done: requests, groups, deliveries."""
        (counts,) = self.ground.sql(
            "SELECT (SELECT count(*) FROM intake_queue WHERE tenant_id = %s),"
            " (SELECT count(*) FROM timer WHERE tenant_id = %s AND due_at <= now()),"
            " (SELECT count(*) FROM delivery_queue WHERE tenant_id = %s)",
            *[self.tenant.pk] * 3,
        )
        return counts

    def settle(self, seconds: float = 30) -> float:
        """Wait until nothing is left to do; return how long it took."""
        return wait_for(lambda: not any(self.waiting()), seconds, f"{self.name}: {self.waiting()}")

    def judge(self, *, most_sends: int = 2) -> None:
        """Nothing accepted is lost, all of it was told, and twice only what was out when its sender died."""
        known = self.known()
        assert self.ledger.acked, "nothing was accepted, so nothing was tried"
        assert self.ledger.acked - known == set(), "accepted and lost"
        assert known - self.ledger.tried == set()
        assert known - set(self.sink.told) == set(), "known and not told"
        assert {uid: ids for uid, ids in self.sink.told.items() if len(ids) > 1} == {}, "told by two deliveries"
        again = {delivery for delivery, count in self.sink.sends.items() if count > 1}
        assert again - self.in_doubt() == set(), "sent twice though nobody died"
        assert max(self.sink.sends.values()) <= most_sends
        # The server may have cut this process off too.
        connection.close()
        assert {finding.name: finding.count for finding in audit(self.tenant.pk) if finding.count} == {}
        states = self.ground.sql("SELECT DISTINCT state FROM delivery WHERE tenant_id = %s", self.tenant.pk)
        assert states == [("delivered",)]

    def in_doubt(self) -> set[str]:
        """Deliveries with a send nobody knows the end of."""
        found = self.ground.sql(
            "SELECT DISTINCT delivery_id::text FROM delivery_attempt WHERE tenant_id = %s"
            " AND (outcome = 'crashed' OR error_class IN ('timeout', 'network'))",
            self.tenant.pk,
        )
        return {row[0] for row in found}

    def close(self) -> None:
        """End the sink; the tenant stays behind, with nothing to do."""
        self.is_over.set()
        self.server.stop()
        self.ledger.file.close()
