"""How long a backtest takes over 30 days of minutes, for each way to judge: `python -m benchmarks.backtest`."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np

from benchmarks.database import own_database

RESULTS: Final = Path(__file__).parent / "results" / "backtest.json"
DAYS: Final = 30
#: What learned methods are shown before the first judged day.
BEFORE: Final = 5
AIM: Final = 5.0
WAYS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("limit", "static", {"above": 150}),
    ("rate", "rate", {"above": 2, "over": 300}),
    ("last week", "comparison", {"above": 50}),
    ("band", "adaptive", {"method": "band"}),
    ("detector", "adaptive", {"method": "detector"}),
    ("tail", "adaptive", {"method": "tail"}),
    ("forest", "adaptive", {"method": "forest"}),
    ("change", "change", {}),
    ("forecast", "forecast", {"above": 150}),
)


def past(end: float) -> tuple[Any, Any]:
    """Minutes of a series with a day, a week, noise and some outages."""
    draw = np.random.default_rng(7)
    at = end - np.arange((DAYS + BEFORE) * 1_440, 0, -1) * 60.0
    value = 100 + 20 * np.sin(at / 86_400 * 2 * np.pi) + 5 * np.sin(at / 604_800 * 2 * np.pi)
    value += draw.normal(0, 3, len(at))
    for start in draw.integers(0, len(at) - 60, 12):
        value[start : start + 40] += 60
    return at, value


def store(tenant_id: UUID, end: float) -> None:
    """Put the past of one series into the database, a day a request."""
    from metrics.ingest import SeriesPoints, ingest

    at, value = past(end)
    for first in range(0, len(at), 1_440):
        day = slice(first, first + 1_440)
        ingest(tenant_id, [SeriesPoints("latency", {"service": "player"}, "", "gauge", at[day], value[day])])


def measure(tenant_id: UUID, end: float, kind: str, settings: dict[str, Any]) -> dict[str, float]:
    """Run one threshold over the past; the better of two runs, as the first also imports."""
    from metrics.backtest import compare
    from metrics.judging.rules import rule_of
    from metrics.models import Threshold
    from tenants.context import tenant_context

    with tenant_context(tenant_id):
        row = Threshold.objects.create(name=f"{kind} {settings}"[:100], kind=kind, metric="latency", settings=settings)
        rule = rule_of(row)
        runs = []
        for _run in range(2):
            began = time.perf_counter()
            answer = compare(rule, None, end - DAYS * 86_400, end)
            runs.append(time.perf_counter() - began)
    (subject,) = answer.subjects
    return {"seconds": round(min(runs), 2), "alerts": len(subject.now.found), "samples": subject.samples}


def main() -> int:
    """Measure each way on a database of its own, print and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    with own_database():
        from tenants import accounts

        tenant_id = accounts.create_tenant(None, slug="backtest", name="backtest").pk
        end = time.time() // 86_400 * 86_400
        store(tenant_id, end)
        found: dict[str, Any] = {"load_of_the_machine_before": round(os.getloadavg()[0], 1), "aim_seconds": AIM}
        for name, kind, settings in WAYS:
            found[name] = measure(tenant_id, end, kind, settings)
            print(f"{name:10} {found[name]['seconds']:6.2f} s   {found[name]['alerts']} alerts", flush=True)
    options.out.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
