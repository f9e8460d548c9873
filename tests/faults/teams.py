"""Tenants that tell their people by one channel each, and how long that took by the database's own times."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.factories import make_key, make_tenant
from tests.faults.ground import Ground
from tests.faults.slacks import Workspace
from tests.stack import wait_for

_number = itertools.count(1)


@dataclass
class Team:
    """One tenant; each of its alerts is a group and so a message of its own."""

    ground: Ground
    channel: dict[str, Any]
    name: str = field(default_factory=lambda: f"team-{next(_number)}")

    def __post_init__(self) -> None:
        self.tenant = make_tenant(self.name)
        self.token = make_key(self.tenant)
        self.people = self.make("channels", {**self.channel, "name": "people"})
        timers = {"group_wait": 0, "group_interval": 1, "repeat_interval": 86_400}
        self.route = self.make("routes", {"name": "all", "parent": None, "channels": [self.people], **timers})
        self.make("grouping-rules", {"name": "one each", "group_by": ["uid"]})
        self.posted = 0

    def make(self, path: str, body: Any) -> str:
        """Add to its configuration; return the new row's id."""
        status, said, _headers = self.ground.stack.request("POST", f"/api/v1/{path}", body, self.token)
        assert status == 201, said
        return str(said["id"])

    def post(self, count: int, *, pause: float = 0.0) -> None:
        """Send alerts, one request each."""
        for _ in range(count):
            uid = f"{self.name}-{next(_number)}"
            body = [{"labels": {"alertname": "Fault", "uid": uid}, "severity": "critical"}]
            status, said, _headers = self.ground.stack.request("POST", "/api/v1/alerts", body, self.token, timeout=30)
            assert status == 202, said
            self.posted += 1
            time.sleep(pause)

    def states(self) -> Counter[str]:
        """How its deliveries stand."""
        sql = "SELECT state, count(*) FROM delivery WHERE tenant_id = %s GROUP BY state"
        return Counter(dict(self.ground.sql(sql, self.tenant.pk)))  # type: ignore[arg-type]  # pairs of two columns

    def has_told(self, states: Iterable[str] = ("delivered",), messages: int = 1) -> bool:
        """Say whether all that was posted has come to such an end, in so many messages each."""
        found = self.states()
        return sum(found[state] for state in states) == self.posted * messages

    def deliveries(self) -> set[str]:
        """The ids of all its deliveries."""
        return {row[0] for row in self.ground.sql("SELECT id::text FROM delivery WHERE tenant_id = %s", self.tenant.pk)}

    def seconds(self, since: Any = None) -> list[float]:
        """From being decided to the provider's answer, of each delivery made since then."""
        found = self.ground.sql(
            "SELECT extract(epoch FROM coalesce(finished_at, now()) - created_at)::float8 FROM delivery"
            " WHERE tenant_id = %s AND created_at >= coalesce(%s::timestamptz, '-infinity')",
            self.tenant.pk,
            since,
        )
        return [row[0] for row in found]


def slack_team(ground: Ground) -> tuple[Team, Workspace]:
    """A tenant with a workspace of its own."""
    token = f"xoxb-{next(_number):012d}-1-secret"
    workspace = ground.slacks.open(token)
    channel = {"kind": "slack", "settings": {"channel": "C0ALERTS"}, "credentials": {"token": token}}
    return Team(ground, {**channel, "rate_per_minute": 100_000}), workspace


def post_together(teams: Sequence[Team], count: int, pause: float) -> None:
    """Let all of them send at the same time."""
    threads = [threading.Thread(target=team.post, args=[count], kwargs={"pause": pause}) for team in teams]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)


def p99(values: Iterable[float]) -> float:
    """The value that one in a hundred exceeds."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * 0.99) - 1]


def settle(
    ground: Ground,
    teams: Sequence[Team],
    states: Iterable[str] = ("delivered",),
    *,
    seconds: float = 90,
    messages: int = 1,
) -> None:
    """Wait until all is told, without waiting out every pause between tries."""
    wanted = tuple(states)

    def is_told() -> bool:
        ground.let_pauses_end()
        time.sleep(0.3)
        return all(team.has_told(wanted, messages) for team in teams)

    wait_for(is_told, seconds, "not all was told")
