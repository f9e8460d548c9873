"""What change points, forecasts, bands and correlation are worth, on seeded series whose truth is known.

    python -m benchmarks.intelligence [--runs 40] [--only changes,forecasts,bands,causes]

Everything is drawn from fixed seeds, so that two runs differ in their times alone. The JSON in results/ is what
`make bench-intelligence` writes; docs/forecasts-and-causes.md says what the figures mean.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Run as a file too: then this folder is on the path, and the house is not.
if str(Path(__file__).parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from benchmarks.suites import bands, causes, changes, forecasts
from benchmarks.suites.series import day_and_week, moments
from metrics.changes import ChangeDetector, find_changes
from metrics.forecasting import fit_forecast

RESULTS = Path(__file__).parent / "results" / "intelligence.json"


def judge_changes(runs: int) -> dict[str, Any]:
    """Delay and false alarms of change points."""
    at = moments(10_000)
    values = np.random.default_rng(0).normal(size=at.size)
    detector = ChangeDetector()
    begin = time.process_time()
    for _ in detector.scan(at, values):
        pass
    each = (time.process_time() - begin) / at.size
    begin = time.process_time()
    find_changes(at, values)
    past = time.process_time() - begin
    return {
        "false_alarms_in_10000_points": changes.false_alarms(max(2, runs // 2)),
        "cases": changes.delays(runs),
        "stream_microseconds_a_point": round(each * 1e6, 1),
        "state_bytes": len(detector.dump()),
        "past_10000_points_cpu_seconds": round(past, 3),
    }


def judge_forecasts(runs: int) -> dict[str, Any]:
    """Coverage of intervals and errors of foretold crossings."""
    at = moments(30 * 1440)
    values = day_and_week(at) + np.random.default_rng(0).normal(size=at.size)
    begin = time.process_time()
    forecast = fit_forecast(at, values, ahead=7 * 86400.0)
    seconds = time.process_time() - begin
    return {
        "coverage_of_95": forecasts.coverage(runs),
        "time_to_breach": forecasts.breaches(runs),
        "fit_30_days_cpu_seconds": round(seconds, 3),
        "state_bytes": len(forecast.dump()),
    }


def judge_bands(runs: int) -> dict[str, Any]:
    """Chance, outages, feedback and cost of bands."""
    fewer = max(2, runs // 4)
    return {
        "false_alarms": bands.false_alarms(fewer),
        "outages_of_an_hour": bands.outages(max(4, runs // 2)),
        "feedback": bands.feedback(),
        "cost": bands.cost(),
    }


def judge_causes(runs: int) -> dict[str, Any]:
    """Planted causes among 200 metrics."""
    return {"planted": causes.causes(runs), "nothing_planted": causes.nothing(runs)}


JUDGES: dict[str, Callable[[int], dict[str, Any]]] = {
    "changes": judge_changes,
    "forecasts": judge_forecasts,
    "bands": judge_bands,
    "causes": judge_causes,
}


def main() -> None:
    """Run the suites asked for, print what they found and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40, help="series per case")
    parser.add_argument("--only", default=",".join(JUDGES), help="suites, separated by commas")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the figures go")
    options = parser.parse_args()
    chosen = [name for name in options.only.split(",") if name]
    if unknown := [name for name in chosen if name not in JUDGES]:
        parser.error(f"no such suite: {', '.join(unknown)}")
    found = json.loads(options.out.read_text()) if options.out.exists() else {}
    for name in chosen:
        begin = time.monotonic()
        found[name] = JUDGES[name](options.runs) | {"runs": options.runs}
        print(f"{name} ({time.monotonic() - begin:.0f} s)")
        print(json.dumps(found[name], indent=2))
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
