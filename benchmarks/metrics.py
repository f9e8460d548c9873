"""Measure how many samples a second are pushed over HTTP, taken in and rolled up: `make bench-metrics`.

A stack of its own on this machine, generator included. Each case pushes JSON as fast as the service holds it:
a closed loop of a few connections whose senders wait while more than a few seconds of work is queued, so that
what is accepted is also processed. Afterwards the database is asked what became of every sample, and the rollups
of the hours that are over are compared with the samples sent.
"""

import argparse
import itertools
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

# Run as a file too: then this folder is on the path, and the house is not.
if str(Path(__file__).parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil

from benchmarks.generator import Connection
from benchmarks.stack import ROOT, BenchStack

RESULTS = ROOT / "benchmarks" / "results" / "metrics.json"
#: Seconds between two samples of a series: hours pass quickly, so that many get rolled up during a case.
INTERVAL = 60
REQUEST_SAMPLES = 2_000
CONNECTIONS = 4
MOST_WAITING = 200_000
PATIENCE = 180.0


@dataclass(frozen=True)
class Shape:
    """How samples come: so many series, each request holding so many samples of each of its series."""

    name: str
    series: int
    samples_each: int


SHAPES = (
    Shape("10,000 series, 10 samples each a request", 10_000, 10),
    Shape("10,000 series, 1 sample each a request", 10_000, 1),
)


class Bodies:
    """Makes request bodies: series after series, round after round, each round later by what it holds."""

    def __init__(self, shape: Shape, start: int) -> None:
        self._shape, self._start = shape, start
        self._heads = [head_of(number) for number in range(shape.series)]
        self._each = REQUEST_SAMPLES // shape.samples_each
        self._requests = itertools.count()

    def next(self) -> tuple[bytes, int]:
        """Return the next body and how many samples it holds."""
        request = next(self._requests)
        a_round = -(-self._shape.series // self._each)
        turn, place = divmod(request, a_round)
        first = place * self._each
        at = self._start + turn * self._shape.samples_each * INTERVAL
        parts = []
        for number in range(first, min(first + self._each, self._shape.series)):
            samples = ",".join(
                f"[{at + INTERVAL * step},{value_of(number, turn * self._shape.samples_each + step)}]"
                for step in range(self._shape.samples_each)
            )
            parts.append(f"{self._heads[number]}{samples}]}}")
        return f'{{"series":[{",".join(parts)}]}}'.encode(), len(parts) * self._shape.samples_each


def busy_seconds() -> float:
    """CPU seconds all cores together have worked so far."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))


def head_of(number: int) -> str:
    """The beginning of a series in a body: a name and five labels."""
    labels = {
        "instance": f"node-{number % 500}.eu-west.example:9100",
        "job": "player",
        "region": f"eu-west-{number % 3}",
        "handler": f"/tracks/{number // 500}",
        "team": f"team-{number % 12}",
    }
    text = json.dumps(labels, separators=(",", ":"))
    return f'{{"metric":"stream_latency_seconds","labels":{text},"unit":"s","kind":"gauge","samples":['


def value_of(number: int, step: int) -> str:
    """A value that changes and can be computed again."""
    return f"{0.05 + ((number * 7919 + step * 104729) % 9973) / 40000:.6f}"


@dataclass
class Load:
    """Pushes for a time; `waiting` says how many samples are queued."""

    port: int
    key: str
    bodies: Bodies
    accepted: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    making: float = 0.0

    def run(self, seconds: float, waiting: Any) -> float:
        """Push until the time is over; return how many seconds it took."""
        self._lock, self._end = threading.Lock(), time.perf_counter() + seconds
        self._is_held = threading.Event()
        threads = [threading.Thread(target=self._send) for _ in range(CONNECTIONS)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            (self._is_held.set if waiting() > MOST_WAITING else self._is_held.clear)()
            time.sleep(0.1)
        return time.perf_counter() - started

    def _send(self) -> None:
        connection = Connection(("127.0.0.1", self.port))
        head = (
            f"POST /api/v1/metrics HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Api-Key {self.key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        while time.perf_counter() < self._end:
            if self._is_held.is_set():
                time.sleep(0.02)
                continue
            body, samples = self.bodies.next()
            began = time.perf_counter()
            status = connection.exchange(head + str(len(body)).encode() + b"\r\n\r\n" + body)
            with self._lock:
                self.latencies.append(time.perf_counter() - began)
                if status == 202:
                    self.accepted += samples
                else:
                    self.refused[status] = self.refused.get(status, 0) + 1


class Case:
    """One shape, on a tenant of its own."""

    def __init__(self, stack: BenchStack, shape: Shape, seconds: float) -> None:
        from tenants import accounts, keys
        from tenants.context import tenant_context
        from tenants.principal import system

        self.stack, self.shape, self.seconds = stack, shape, seconds
        tenant = accounts.create_tenant(None, slug=f"m{int(time.time())}", name="bench")
        self.id: UUID = tenant.pk
        with tenant_context(self.id):
            key = keys.issue(system(self.id), "bench", ["metrics:write"]).token
        # Two days ago at midnight, so that most hours are over and get rolled up.
        start = int(time.time()) // 86_400 * 86_400 - 2 * 86_400
        self.load = Load(stack.ports.web, key, Bodies(shape, start))

    def run(self) -> dict[str, Any]:
        """Push, wait until all is taken in and rolled up, and return the figures."""
        before = self.stack.cpu_seconds()
        own, machine = time.process_time(), busy_seconds()
        seconds = self.load.run(self.seconds, lambda: self._waiting("metric_queue", "samples"))
        own = time.process_time() - own
        began = time.perf_counter()
        taken_in = self._settle("metric_queue") - began + seconds
        rolled_up = self._settle("rollup_due") - began + seconds
        after, machine = self.stack.cpu_seconds(), busy_seconds() - machine
        cpu = {name: round(after[name] - before[name], 2) for name in after if after[name] - before[name] > 0.05}
        accepted = self.load.accepted
        latencies = sorted(self.load.latencies)
        # Programs that are no part of this share the two cores with us: what they took says what the figures are worth.
        others = max(0.0, machine - sum(cpu.values()) - own) / rolled_up
        return {
            "series": self.shape.series,
            "samples_a_request": REQUEST_SAMPLES,
            "seconds": round(seconds, 1),
            "samples": accepted,
            "accepted_per_s": round(accepted / seconds),
            "ingested_per_s": round(accepted / taken_in),
            "rolled_up_per_s": round(accepted / rolled_up),
            "accept_p50_ms": round(latencies[len(latencies) // 2] * 1000, 1),
            "accept_p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1000, 1),
            "refused": self.load.refused,
            "cores": os.cpu_count(),
            "cores_busy_with_other_programs": round(others, 2),
            "cpu_us_per_sample": {name: round(used / accepted * 1e6, 2) for name, used in cpu.items()}
            | {
                "generator": round(own / accepted * 1e6, 2),
                "all": round((sum(cpu.values()) + own) / accepted * 1e6, 2),
            },
            **self._truth(),
        }

    def _waiting(self, table: str, what: str = "1") -> int:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"SELECT coalesce(sum({what}), 0) FROM {table} WHERE tenant_id = %s", [self.id])
            return int(cursor.fetchone()[0])

    def _settle(self, table: str) -> float:
        deadline = time.monotonic() + PATIENCE
        while self._waiting(table) and time.monotonic() < deadline:
            time.sleep(0.05)
        return time.perf_counter()

    def _truth(self) -> dict[str, Any]:
        """What the database holds: samples, and the counts of the rollups, against what was accepted."""
        from django.db import connection

        from metrics.models import Series
        from metrics.storage import reading
        from tenants.context import tenant_context

        with tenant_context(self.id), connection.cursor() as cursor:
            cursor.execute("SELECT sum(length(at) / 4), sum(pg_column_size(c.*)) FROM sample_chunk c")
            stored, size = (int(value or 0) for value in cursor.fetchone())
            cursor.execute("SELECT count(*) FROM rollup_minute")
            hours = int(cursor.fetchone()[0])
            numbers = list(Series.objects.values_list("number", flat=True))
            end = time.time() + 30 * 86_400
            counted = 0
            for place in range(0, len(numbers), 2_000):
                found = reading.rollup(self.id, numbers[place : place + 2_000], "1h", 0, end)
                counted += int(sum(arrays.count.sum() for arrays in found.values()))
        return {
            "lost": max(0, self.load.accepted - stored),
            "doubled": max(0, stored - self.load.accepted),
            "hours_of_series_rolled_up": hours,
            "counted_in_rollups": counted,
            "bytes_per_sample": round(size / max(stored, 1), 1),
        }


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return the figures as one table a person can read."""
    names = ["accepted_per_s", "ingested_per_s", "rolled_up_per_s", "accept_p50_ms", "accept_p99_ms", "lost", "doubled"]
    lines = ["case".ljust(44) + "".join(name.rjust(17) for name in names)]
    for case, figures in results.items():
        lines.append(case.ljust(44) + "".join(str(figures[name]).rjust(17) for name in names))
    return "\n".join(lines)


def main() -> int:
    """Run the cases and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of each case")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    results: dict[str, dict[str, Any]] = {}
    # Other benchmarks of metrics keep their figures in the same file.
    whole = json.loads(options.out.read_text()) if options.out.exists() else {}
    with BenchStack() as stack:
        os.environ.update(stack.environment())
        import django

        django.setup()
        for shape in SHAPES:
            results[shape.name] = Case(stack, shape, options.seconds).run()
            print(table({shape.name: results[shape.name]}), flush=True)
            print(json.dumps(results[shape.name]), flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(whole | {"ingest": results}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
