"""How many series are evaluated a minute on one core: `python -m benchmarks.judging`.

Series get a sample a minute. Measured is the judging of such a minute: Python's and PostgreSQL's CPU time together,
so that the figure is that of one core whatever this machine has. The cases: thresholds that people set (four kinds
over every series), bands learned for each, and the streaming detector for each. Models are warmed on 33 hours of
history (a sample in ten minutes); every case judges several minutes, and one series in a hundred crosses its limit
in the last one.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import django
import numpy as np

RESULTS = Path(__file__).parent / "results" / "metrics.json"
SERIES = 10_000
MINUTES = 5
HISTORY = 200
SPARSE = 600.0

SET_BY_PEOPLE = [
    ("Limit", "static", {"above": 500, "clear_above": 450}, {"hold_minutes": 1}),
    ("Mean", "static", {"above": 450, "take": "mean", "over": 300}, {}),
    ("Rate", "rate", {"above": 2, "over": 300}, {}),
    ("Low", "static", {"below": -100}, {}),
]
BAND = [("Band", "adaptive", {"method": "band"}, {})]
DETECTOR = [("Detector", "adaptive", {"method": "detector"}, {})]


def make(series: int, thresholds: list[Any], history: int) -> Any:
    """A tenant with its thresholds and the past of its series; learned ones are fitted."""
    from datetime import timedelta

    from metrics.models import Threshold
    from tenants import accounts
    from tenants.context import tenant_context

    tenant = accounts.create_tenant(None, slug=f"j{time.monotonic_ns()}", name="bench")
    with tenant_context(tenant.pk):
        for name, kind, settings, more in thresholds:
            hold = timedelta(minutes=more.get("hold_minutes", 0))
            Threshold.objects.create(name=name, kind=kind, metric="latency", settings=settings, hold=hold)
    now = time.time() // 60 * 60 - 900
    for first in range(0, series, 500):
        push(tenant.pk, range(first, min(first + 500, series)), now - history * SPARSE, history, step=SPARSE)
    return tenant.pk, now


def push(
    tenant_id: Any, numbers: Any, start: float, minutes: int, *, step: float = 60.0, crossing: bool = False
) -> None:
    """Samples of some series, a minute apart."""
    from metrics.ingest import SeriesPoints, ingest

    draw = np.random.default_rng(numbers[0] + int(start))
    at = start + np.arange(minutes) * step
    batch = []
    for number in numbers:
        value = 100 + 20 * np.sin(at / 86_400 * 2 * np.pi + number) + draw.normal(0, 3, minutes)
        if crossing and number % 100 == 0:
            value[-1] = 900.0
        labels = {"instance": f"node-{number % 500}", "handler": f"/tracks/{number // 500}", "job": "player"}
        batch.append(SeriesPoints("latency", labels, "", "gauge", at, value))
    ingest(tenant_id, batch)


def run(series: int, thresholds: list[Any], history: int) -> dict[str, Any]:
    """One case; the figures of a minute of all its series."""
    from benchmarks.pipeline import Clock
    from metrics.judging.engine import judge
    from metrics.judging.fitting import fit_some
    from metrics.models import Finding
    from tenants.context import tenant_context

    tenant_id, now = make(series, thresholds, history)
    while judge(tenant_id):
        pass
    began = time.perf_counter()
    fitted = 0
    while done := fit_some(tenant_id, 50):
        fitted += done
    fitting = time.perf_counter() - began
    clock, spent, judged = Clock(), np.zeros(3), 0
    for minute in range(MINUTES):
        for first in range(0, series, 2_000):
            numbers = range(first, min(first + 2_000, series))
            push(tenant_id, numbers, now + minute * 60, 1, crossing=minute == MINUTES - 1)
        before = np.array(clock.read())
        while done := judge(tenant_id):
            judged += done
        spent += np.array(clock.read()) - before
    with tenant_context(tenant_id):
        findings = Finding.objects.count()
    own, base, wall = spent.tolist()
    per_minute = (own + base) / MINUTES
    return {
        "series": series,
        "thresholds": len(thresholds),
        "seconds_of_one_core_per_minute_of_samples": round(per_minute, 2),
        "python_s": round(own / MINUTES, 2),
        "postgresql_s": round(base / MINUTES, 2),
        "wall_s": round(wall / MINUTES, 2),
        "series_per_minute_on_one_core": round(judged / (own + base) * 60),
        "evaluations_per_minute_on_one_core": round(judged * len(thresholds) / (own + base) * 60),
        "fitted": fitted,
        "fit_ms_per_model": round(fitting / fitted * 1000, 1) if fitted else None,
        "findings": findings,
    }


def main() -> int:
    """Run the cases on a database of their own and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=SERIES)
    parser.add_argument("--learned", type=int, default=SERIES, help="series of the cases with models")
    parser.add_argument("--history", type=int, default=HISTORY, help="samples of past for learned thresholds")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    from tests import servers

    servers_of_run = servers.RunServers()
    found: dict[str, Any] = {}
    try:
        os.environ.update(servers_of_run.coordinates.environment("main"))
        django.setup()
        from tests.conftest import migrate_template

        with servers.template_lock(servers_of_run.coordinates) as connection:
            migrate_template(connection)
            servers.recreate_database(connection, servers.database_of("main"), servers.TEMPLATE)
        for name, thresholds, history in (
            ("four thresholds that people set", SET_BY_PEOPLE, 10),
            ("a learned band each", BAND, options.history),
            ("the streaming detector each", DETECTOR, options.history),
        ):
            series = options.learned if thresholds is not SET_BY_PEOPLE else options.series
            found[name] = run(series, thresholds, history)
            print(json.dumps({name: found[name]}), flush=True)
    finally:
        servers_of_run.stop()
    # Other benchmarks of metrics keep their figures in the same file.
    whole = json.loads(options.out.read_text()) if options.out.exists() else {}
    options.out.write_text(json.dumps(whole | {"judging": found}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
