"""Measure what one machine holds, generator and receivers included: `make bench`.

For each batch size: open-loop load at a rate (30 % new fingerprints, 70 % repeats of 5,000, about 500 bytes
an alert) while probes, single alerts that make groups of their own with group_wait 0, measure the whole way
from the POST to the message at a webhook receiver. Afterwards the database is asked what became of everything.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

# Run as a file too: then this folder is on the path, and the house is not.
if str(Path(__file__).parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.generator import Load, Outcome
from benchmarks.stack import ROOT, BenchStack

RATES = {1: 1_200.0, 100: 10_000.0, 500: 10_000.0}
FLOOR = 10_000.0
# Beside the floor: how quick it is when calm, and how far the aim of 20,000 a second is.
EXTRA = ((100, 2_000.0), (500, 20_000.0))
RESULTS = ROOT / "benchmarks" / "results" / "load.json"
DRAIN_PATIENCE = 120.0


def percentile(values: list[float], share: float) -> float:
    """Return a percentile in milliseconds; NaN for nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)


class Case:
    """One batch size at one rate, on a tenant of its own."""

    def __init__(self, stack: BenchStack, *, batch: int, rate: float, seconds: float, has_past: bool = True) -> None:
        from benchmarks.probe import Prober
        from benchmarks.tenant import BenchTenant

        self.stack, self.batch, self.rate, self.seconds = stack, batch, rate, seconds
        self.name = f"b{batch}r{int(rate)}t{int(time.time()) % 100_000}"
        self.prober = Prober(stack.ports.web, stack.sink_port)
        self.tenant = BenchTenant(self.name, self.prober.sink_url, has_past=has_past)
        self.load = Load(
            "127.0.0.1", stack.ports.web, self.tenant.key, batch=batch, rate=rate, seconds=seconds, run=self.name
        )

    def run(self) -> dict[str, Any]:
        """Send, wait until all is processed, and return the figures."""
        self._warm_up()
        before = self.stack.cpu_seconds()
        self.prober.start(self.tenant.key, self.seconds)
        outcome = self.load.run()
        processed_in = self._wait_until_drained(outcome)
        self.prober.join()
        cpu = {name: round(after - before[name], 2) for name, after in self.stack.cpu_seconds().items()}
        figures = self._figures(outcome, processed_in, cpu)
        self.tenant.retire()
        return figures

    def _warm_up(self) -> None:
        warm = Load(
            "127.0.0.1",
            self.stack.ports.web,
            self.tenant.key,
            batch=self.batch,
            rate=self.rate / 4,
            seconds=2,
            run="warm",
        )
        self.warmed = warm.run().accepted
        self._settle()
        deadline = time.monotonic() + DRAIN_PATIENCE
        while self.tenant.undelivered() and time.monotonic() < deadline:
            time.sleep(0.1)

    def _settle(self) -> None:
        deadline = time.monotonic() + DRAIN_PATIENCE
        while self.tenant.waiting() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _wait_until_drained(self, outcome: Outcome) -> float:
        started = time.perf_counter()
        self._settle()
        return outcome.seconds + time.perf_counter() - started

    def _figures(self, outcome: Outcome, processed_in: float, cpu: dict[str, float]) -> dict[str, Any]:
        accepted = outcome.accepted + self.prober.accepted
        truth = self.tenant.truth()
        told = self.prober.arrivals()
        total = self.warmed + accepted
        per_thousand = {name: round(seconds / max(accepted, 1) * 1000, 4) for name, seconds in cpu.items()}
        return {
            "rate": self.rate,
            "seconds": self.seconds,
            "accepted_per_s": round(outcome.accepted / outcome.seconds),
            "processed_per_s": round(outcome.accepted / processed_in),
            "accept_p50_ms": percentile(outcome.latencies, 0.50),
            "accept_p99_ms": percentile(outcome.latencies, 0.99),
            "e2e_p50_ms": percentile(told, 0.50),
            "e2e_p99_ms": percentile(told, 0.99),
            "drain_p99_ms": percentile(self.tenant.drain_latencies(), 0.99),
            "cpu_s_per_1000": per_thousand | {"all": round(sum(per_thousand.values()), 4)},
            "refused": outcome.refused,
            "lost": max(0, total - truth) + self.prober.missing(),
            "duplicated": max(0, truth - total) + self.prober.doubled(),
        }


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return the figures as one table a person can read."""
    names = ["rate", "accepted_per_s", "processed_per_s", "accept_p50_ms", "accept_p99_ms", "e2e_p50_ms", "e2e_p99_ms"]
    lines = ["case".ljust(12) + "".join(name.rjust(17) for name in [*names, "cpu_s/1000", "lost", "dup"])]
    for case, figures in results.items():
        row = [figures[name] for name in names]
        row += [figures["cpu_s_per_1000"]["all"], figures["lost"], figures["duplicated"]]
        lines.append(case.ljust(12) + "".join(str(value).rjust(17) for value in row))
    return "\n".join(lines)


def main() -> int:
    """Run the chosen cases and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each case")
    parser.add_argument("--batches", default="1,100,500", help="batch sizes to run")
    parser.add_argument("--rate", type=float, help="alerts a second, instead of the default for each batch size")
    parser.add_argument("--no-extra", dest="extra", action="store_false", help="only the batch sizes asked for")
    parser.add_argument("--no-past", dest="past", action="store_false", help="tenants that scoring knows nothing of")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    results: dict[str, dict[str, Any]] = {}
    with BenchStack() as stack:
        os.environ.update(stack.environment())
        import django

        django.setup()
        for batch in [int(word) for word in options.batches.split(",")]:
            rate = options.rate or RATES.get(batch, FLOOR)
            results[str(batch)] = Case(
                stack, batch=batch, rate=rate, seconds=options.seconds, has_past=options.past
            ).run()
            print(table({str(batch): results[str(batch)]}), flush=True)
        for batch, rate in EXTRA if options.extra else ():
            case = Case(stack, batch=batch, rate=rate, seconds=min(options.seconds, 30), has_past=options.past)
            results[f"{batch}@{int(rate)}"] = case.run()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=2) + "\n")
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
