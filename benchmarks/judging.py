"""How many series are judged a minute on one core, and what their models cost: `python -m benchmarks.judging`.

Every series gets a sample a minute. Measured is the judging of such a minute: Python's and PostgreSQL's CPU time
together, so that the figure is that of one core whatever this machine has. The cases: four thresholds that people set
over every series, a learned band for each, the streaming detector for each. Every series has a state of its own that
has learned two weeks of minutes; the states are learned for twenty courses and each given to its share of series,
stored at different times up to three hours ago as they are in a service that runs. First all states are read from the
database, as after a restart, with the samples since; then minutes follow one another, and one series in a hundred
crosses its limit in the last one. With --written, a minute follows in which every state is written, to compare.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psutil

from benchmarks.database import own_database

RESULTS = Path(__file__).parent / "results" / "metrics.json"
SERIES = 10_000
MINUTES = 2
#: Minutes of samples in the database before the first measured one; states were stored somewhere in between.
STORED = 180
LEARNED = 20_160
COURSES = 20
NOISE = 3.0

SET_BY_PEOPLE = [
    ("Limit", "static", {"above": 500, "clear_above": 450}, {"hold_minutes": 1}),
    ("Mean", "static", {"above": 450, "take": "mean", "over": 300}, {}),
    ("Rate", "rate", {"above": 2, "over": 300}, {}),
    ("Low", "static", {"below": -100}, {}),
]
BAND = [("Band", "adaptive", {"method": "band"}, {})]
DETECTOR = [("Detector", "adaptive", {"method": "detector"}, {})]


def course(number: int, at: Any, draw: np.random.Generator) -> Any:
    """The values of a series: a day of its own phase, and noise."""
    return 100 + 20 * np.sin(at / 86_400 * 2 * np.pi + number % COURSES) + draw.normal(0, NOISE, len(at))


class Case:
    """A tenant with its thresholds, its series and the past of these."""

    def __init__(self, series: int, thresholds: list[Any]) -> None:
        from datetime import timedelta

        from metrics.models import Threshold
        from tenants import accounts
        from tenants.context import tenant_context

        self.series, self.thresholds = series, thresholds
        self.id: UUID = accounts.create_tenant(None, slug=f"j{time.monotonic_ns()}", name="bench").pk
        self.now = time.time() // 60 * 60 - 900
        with tenant_context(self.id):
            for name, kind, settings, more in thresholds:
                hold = timedelta(minutes=more.get("hold_minutes", 0))
                Threshold.objects.create(name=name, kind=kind, metric="latency", settings=settings, hold=hold)
        for first in range(0, series, 500):
            self.push(range(first, min(first + 500, series)), self.now - STORED * 60.0, STORED)
        self.judge()

    def push(self, numbers: range, start: float, minutes: int, *, crossing: bool = False) -> None:
        """Samples of some series, a minute apart."""
        from metrics.ingest import SeriesPoints, ingest

        draw = np.random.default_rng(numbers[0] + int(start))
        at = start + np.arange(minutes) * 60.0
        batch = []
        for number in numbers:
            value = course(number, at, draw)
            if crossing and number % 100 == 0:
                value[-1] = 900.0
            labels = {"instance": f"node-{number % 500}", "handler": f"/tracks/{number // 500}", "job": "player"}
            batch.append(SeriesPoints("latency", labels, "", "gauge", at, value))
        ingest(self.id, batch)

    def minute(self, number: int, *, crossing: bool = False) -> None:
        """A sample of every series."""
        for first in range(0, self.series, 2_000):
            numbers = range(first, min(first + 2_000, self.series))
            self.push(numbers, self.now + number * 60.0, 1, crossing=crossing)

    def judge(self) -> int:
        """Judge all that waits, as the service does; return how many series that were."""
        from metrics.judging import engine
        from metrics.models import SeriesDue

        judged = 0
        while SeriesDue.objects.filter(tenant_id=self.id).exists():
            judged += engine.judge_all()
        return judged

    def learn(self) -> dict[str, Any]:
        """Give every series a state that has learned two weeks, stored at some time of the last hours."""
        from metrics.judging.learned import open_model
        from metrics.judging.rules import load_rules
        from metrics.models import Series
        from tenants.context import tenant_context

        with tenant_context(self.id):
            (rule,) = load_rules(["adaptive"])
            ids: list[list[str]] = [[] for _ in range(COURSES)]
            for pk, labels in Series.objects.values_list("pk", "labels"):
                ids[int(labels["instance"].removeprefix("node-")) % COURSES].append(str(pk))
        dumps, seconds = [], time.process_time()
        for number in range(COURSES):
            stored_at = self.now - 60.0 * (1 + number * (STORED - 10) // COURSES)
            at = stored_at + np.arange(1 - LEARNED, 1) * 60.0
            model = open_model(rule.condition, 0.0, None)
            model.follow(at, course(number, at, np.random.default_rng(number)))
            model.settle()
            dumps.append((stored_at, model.kind, model.dump()))
        seconds = time.process_time() - seconds
        for number, (stored_at, kind, dump) in enumerate(dumps):
            self._store(ids[number], stored_at, kind, dump)
        sizes = [len(dump) for _stored_at, _kind, dump in dumps]
        return {
            "points_learned": LEARNED,
            "learn_us_per_point": round(seconds / COURSES / LEARNED * 1e6, 1),
            "state_bytes_mean": round(float(np.mean(sizes))),
            "state_bytes_most": max(sizes),
        }

    def _store(self, ids: list[str], stored_at: float, kind: str, dump: bytes) -> None:
        from django.db import connection

        from tenants.context import tenant_context

        with tenant_context(self.id), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE detector_state SET model = %s, model_kind = %s, model_until = to_timestamp(%s),"
                " fitted_at = to_timestamp(%s) WHERE series_id = ANY (%s::uuid[])",
                [dump, kind, stored_at, stored_at, ids],
            )


class Meter:
    """What judging costs: CPU of both sides, what the database reads of states and writes to its log."""

    def __init__(self, case: Case) -> None:
        from benchmarks.pipeline import Clock

        self.case, self.clock = case, Clock()

    def measure(self) -> dict[str, float]:
        """Judge what waits."""
        from metrics.judging import live

        reading, reads = live._read, [0, 0]

        def counted(identities: Any) -> Any:
            found = reading(identities)
            reads[0] += len(found)
            reads[1] += sum(map(len, found.values()))
            return found

        live._read = counted
        before, written = np.array(self.clock.read()), _log_position()
        try:
            judged = self.case.judge()
        finally:
            live._read = reading
        own, base, wall = (np.array(self.clock.read()) - before).tolist()
        return {
            "judged": judged,
            "seconds_of_one_core": round(own + base, 2),
            "python_s": round(own, 2),
            "postgresql_s": round(base, 2),
            "wall_s": round(wall, 2),
            "log_mb": round((_log_position() - written) / 1e6, 1),
            "states_read": reads[0],
            "states_read_mb": round(reads[1] / 1e6, 1),
        }


def _log_position() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return float(cursor.fetchone()[0])


@contextmanager
def every_state_written() -> Iterator[None]:
    """As if a state were written after each of its points."""
    from metrics.judging import live

    defaults = live.write_dumps.__kwdefaults__
    live.write_dumps.__kwdefaults__ = {"every": 1, "most": 1_000_000}
    try:
        yield
    finally:
        live.write_dumps.__kwdefaults__ = defaults


def run(series: int, thresholds: list[Any], *, is_compared: bool) -> dict[str, Any]:
    """One case; the figures of a minute of all its series."""
    from metrics.judging import live
    from metrics.models import Finding
    from tenants.context import tenant_context

    case = Case(series, thresholds)
    is_learned = thresholds[0][1] == "adaptive"
    learned = case.learn() if is_learned else {}
    meter = Meter(case)
    live.shelf.clear()
    case.minute(0)
    first = meter.measure()
    minutes = []
    for minute in range(1, MINUTES + 1):
        case.minute(minute, crossing=minute == MINUTES)
        minutes.append(meter.measure())
    with tenant_context(case.id):
        findings = Finding.objects.count()
    found = {name: round(float(np.mean([one[name] for one in minutes])), 2) for name in first}
    judged = found.pop("judged")
    found = {
        "series": series,
        "thresholds": len(thresholds),
        "series_per_minute_on_one_core": round(judged / found["seconds_of_one_core"] * 60),
        "evaluations_per_minute_on_one_core": round(judged / found["seconds_of_one_core"] * 60 * len(thresholds)),
        "a_minute": found,
        "findings": findings,
        **learned,
    }
    if is_learned:
        found["first_minute_after_a_restart"] = first
        found["memory_mb"] = round(psutil.Process().memory_info().rss / 1e6)
    if is_learned and is_compared:
        case.minute(MINUTES + 1)
        with every_state_written():
            found["a_minute_if_every_state_were_written"] = meter.measure()
    live.shelf.clear()
    return found


def main() -> int:
    """Run the cases on a database of their own and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=SERIES)
    parser.add_argument("--cases", default="people,band,detector")
    parser.add_argument("--written", action="store_true", help="also a minute in which every state is written")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with own_database():
        for key, name, thresholds in (
            ("people", "four thresholds that people set", SET_BY_PEOPLE),
            ("band", "a learned band each", BAND),
            ("detector", "the streaming detector each", DETECTOR),
        ):
            if key not in options.cases.split(","):
                continue
            others = os.getloadavg()[0]
            found[name] = run(options.series, thresholds, is_compared=options.written) | {
                "load_of_the_machine_before": round(others, 1)
            }
            print(json.dumps({name: found[name]}), flush=True)
    # Other benchmarks of metrics keep their figures in the same file.
    whole = json.loads(options.out.read_text()) if options.out.exists() else {}
    judging = whole.get("judging", {}) | found
    options.out.write_text(json.dumps(whole | {"judging": judging}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
