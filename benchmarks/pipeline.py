"""The drain by itself, in this process: CPU per alert in Python and in PostgreSQL, by step.

    python -m benchmarks.pipeline [--batch 500] [--rounds 40] [--known 5000] [--new 0.3] [--no-past] [--profile]

Starts a PostgreSQL of its own. Requests of the given size, of which so many alerts are new and the others repeat
known ones; measured is `drain()` alone. The database runs without fsync: CPU is what is compared, not the disk.
"""

import argparse
import cProfile
import json
import pstats
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.database import own_database

RESULTS = Path(__file__).parent / "results" / "pipeline.json"
NAMES = ["HighCpu", "DiskFull", "Latency", "ErrorRate", "QueueLag"]
PAST_LABELS = '{"job": "node", "region": "eu-west-1", "environment": "production"}'


def alerts_of(count: int, new: float, known: int, chance: random.Random, first_new: list[int]) -> list[Any]:
    """A request's alerts: about 500 bytes each as JSON, eight labels and three annotations."""
    from alerting.decoding import NativeAlert

    made = []
    for _ in range(count):
        if chance.random() < new:
            first_new[0] += 1
            number = first_new[0]
        else:
            number = chance.randrange(known)
        labels = {
            "alertname": NAMES[number % 5],
            "instance": f"host-{number}.example.org:9100",
            "job": "node",
            "cluster": f"cluster-{number % 20}",
            "namespace": f"team-{number % 40}",
            "service": f"service-{number % 100}",
            "region": "eu-west-1",
            "environment": "production",
        }
        annotations = {
            "summary": f"{NAMES[number % 5]} on host-{number}",
            "description": "The value has been above the threshold for more than ten minutes on this instance.",
            "runbook_url": "https://runbooks.example.org/node/high",
        }
        made.append(NativeAlert(labels, annotations, 20 + 10 * (number % 3), "firing", metric_value=float(number % 97)))
    return made


def configure(tenant_id: Any) -> None:
    """Rules as a tenant may have them: routes, grouping, silences, inhibition, a step of enrichment."""
    from datetime import timedelta

    from django.utils import timezone

    from alerting.models import EnrichmentStep, GroupingRule, InhibitionRule, Route, RouteChannel, Silence
    from channels.models import Channel
    from tenants.context import tenant_context

    def equals(**labels: str) -> list[dict[str, str]]:
        return [{"name": name, "op": "=", "value": value} for name, value in labels.items()]

    with tenant_context(tenant_id):
        channel = Channel.objects.create(name="hook", kind="webhook", settings={"url": "http://127.0.0.1:9/"})
        wait = {
            "group_wait": timedelta(0),
            "group_interval": timedelta(minutes=5),
            "repeat_interval": timedelta(hours=4),
        }
        root = Route.objects.create(name="root", **wait)
        RouteChannel.objects.create(route=root, channel=channel)
        for number in range(20):
            Route.objects.create(
                name=f"team {number}", parent=root, position=number, matchers=equals(namespace=f"team-{number}")
            )
        GroupingRule.objects.create(name="by service", group_by=["alertname", "service"])
        EnrichmentStep.objects.create(name="owner", kind="static", settings={"labels": {"owner": "platform"}})
        for number in range(20):
            Silence.objects.create(
                matchers=equals(instance=f"silenced-{number}"), ends_at=timezone.now() + timedelta(hours=1), comment="x"
            )
        InhibitionRule.objects.create(
            name="cluster down",
            source_matchers=equals(alertname="ClusterDown"),
            target_matchers=[{"name": "severity", "op": "=~", "value": "warning|error"}],
            equal=["cluster"],
        )


class Clock:
    """CPU of this process and of the server process behind our connection."""

    def __init__(self) -> None:
        from django.db import connection

        connection.ensure_connection()
        self.server = psutil.Process(connection.connection.get_backend_pid())

    def read(self) -> tuple[float, float, float]:
        times = self.server.cpu_times()
        return time.process_time(), times.user + times.system, time.perf_counter()


@contextmanager
def timed_statements(spent: dict[str, list[float]]) -> Iterator[None]:
    """Add up wall time and number by the beginning of each statement."""
    from django.db import connection

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            entry = spent[" ".join(sql.split())[:44] + (" ..." if ";\n" in sql else "")]
            entry[0] += time.perf_counter() - began
            entry[1] += 1

    with connection.execute_wrapper(wrapper):
        yield


class Spent:
    """CPU of both sides and wall time, summed up."""

    def __init__(self, clock: Clock, profile: cProfile.Profile | None) -> None:
        self.clock = clock
        self.profile = profile
        self.python = self.server = self.wall = 0.0

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Add what the block costs."""
        before = self.clock.read()
        if self.profile:
            self.profile.enable()
        yield
        if self.profile:
            self.profile.disable()
        after = self.clock.read()
        self.python += after[0] - before[0]
        self.server += after[1] - before[1]
        self.wall += after[2] - before[2]


def fill(tenant_id: Any, known: int, chance: random.Random) -> None:
    """Store the alerts that will be repeated."""
    from alerting.decoding import Decoded
    from alerting.intake import accept
    from alerting.notifying import flush_due
    from alerting.pipeline.drain import drain
    from tenants.principal import system

    for start in range(0, known, 1000):
        accept(system(tenant_id), "native", Decoded(alerts_of(1000, 1.0, known, chance, [start - 1]), []))
        drain(tenant_id)
    while flush_due(tenant_id):
        pass


def flush_all(tenant_id: Any, cost: Spent) -> int:
    """Make every timer due and look at the groups."""
    from django.db.models.functions import Now

    from alerting.models import Timer
    from alerting.notifying import flush_due

    Timer.objects.filter(tenant_id=tenant_id).update(due_at=Now())
    flushed = 0
    with cost.measuring():
        while done := flush_due(tenant_id):
            flushed += done
    return flushed


def updates_in_place() -> float:
    """How many of a hundred updates of alerts needed no index."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT round(100.0 * n_tup_hot_upd / greatest(n_tup_upd, 1), 1)::float8 FROM pg_stat_user_tables"
            " WHERE relname = 'alert'"
        )
        return float(cursor.fetchone()[0])


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Fill the table with known alerts, then drain rounds of requests."""
    from alerting.decoding import Decoded
    from alerting.intake import accept
    from alerting.pipeline.drain import drain
    from benchmarks.past import give_past
    from tenants.accounts import create_tenant
    from tenants.principal import system

    tenant = create_tenant(None, slug="bench", name="Bench")
    configure(tenant.pk)
    if options.past:
        give_past(tenant.pk, NAMES, [f"service-{number}" for number in range(100)], PAST_LABELS)
    chance, first_new = random.Random(7), [options.known]
    fill(tenant.pk, options.known, chance)
    profile = cProfile.Profile() if options.profile else None
    statements: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])
    warm, cost, flush = (Spent(Clock(), one) for one in (None, profile, profile))
    alerts = new = 0
    for number in range(options.rounds + options.warm_up):
        batch = alerts_of(options.batch, options.new, options.known, chance, first_new)
        for start in range(0, options.batch, options.request):
            accept(system(tenant.pk), "native", Decoded(batch[start : start + options.request], []))
        is_warm = number >= options.warm_up
        with timed_statements(statements if is_warm else defaultdict(lambda: [0.0, 0])):
            with (cost if is_warm else warm).measuring():
                result = drain(tenant.pk)
        if is_warm:
            alerts += result.alerts
            new += result.new
    flushed = flush_all(tenant.pk, flush)
    if profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    return report(options, (alerts, new, flushed), cost, flush, statements)


def report(
    options: argparse.Namespace,
    counts: tuple[int, int, int],
    cost: Spent,
    flush: Spent,
    statements: dict[str, list[float]],
) -> dict[str, Any]:
    """The figures as they are printed and stored."""
    alerts, new, flushed = counts
    return {
        "batch": options.batch,
        "alerts": alerts,
        "new": new,
        "python_us_per_alert": round(cost.python / alerts * 1e6, 1),
        "postgresql_us_per_alert": round(cost.server / alerts * 1e6, 1),
        "wall_us_per_alert": round(cost.wall / alerts * 1e6, 1),
        "alerts_per_s_one_process": round(alerts / cost.wall),
        "updates_in_place_percent": updates_in_place(),
        "flushed_groups": flushed,
        "flush_python_us_per_group": round(flush.python / max(flushed, 1) * 1e6),
        "flush_postgresql_us_per_group": round(flush.server / max(flushed, 1) * 1e6),
        "statements": {
            sql: {"us_per_alert": round(seconds / alerts * 1e6, 2), "count": round(count / options.rounds, 2)}
            for sql, (seconds, count) in sorted(statements.items(), key=lambda entry: -entry[1][0])
        },
    }


def show(result: dict[str, Any]) -> None:
    """Print one table."""
    for name, value in result.items():
        if name != "statements":
            print(f"{name:32} {value:>12}")
    print(f"\n{'statement':46} {'wall us/alert':>14} {'per drain':>10}")
    for sql, cost in result["statements"].items():
        print(f"{sql:46} {cost['us_per_alert']:>14} {cost['count']:>10}")


def main() -> None:
    """Measure on servers of our own and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--request", type=int, default=500, help="alerts a request")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--known", type=int, default=5000)
    parser.add_argument("--new", type=float, default=0.3)
    parser.add_argument("--no-past", dest="past", action="store_false", help="a tenant that scoring knows nothing of")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    with own_database():
        result = measure(options)
    show(result)
    options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
