"""How well the shipped detector finds labelled anomalies: online, one set of parameters, one stream of scores.

    python -m benchmarks.anomaly [--data DIR] [--labels FILE] [--out DIR] [--jobs 1]

Judges any folder shaped like the Numenta Anomaly Benchmark: CSV files `timestamp,value` in groups, and a JSON file of
labelled windows. Writes `timestamp,value,anomaly_score` per file under --out, and the three scores, the time a point
takes and the bytes a series costs to results/anomaly.json. Where the corpus brings published scores of other
detectors with it (a folder `reference` beside the data), the scorer is checked against them first.
"""

import argparse
import csv
import json
import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(pool, "1")

import numpy as np  # noqa: E402 - the pools of threads are sized on import

from benchmarks.nab_batch import measure_batch  # noqa: E402
from benchmarks.nab_scoring import Floats, Labelled, judge_all, read_column, read_corpus  # noqa: E402
from metrics.detection import Detector  # noqa: E402

CORPUS = ROOT.parent / "shared" / "data" / "nab"
RESULTS = Path(__file__).parent / "results" / "anomaly.json"
AIMS = {"standard": 77.0, "reward_low_FP_rate": 67.0, "reward_low_FN_rate": 80.0}
# The README of the given half states these; the scores of the same detectors lie beside its data.
PUBLISHED = {
    "numenta": (67.124, 60.964, 71.327),
    "contextOSE": (68.102, 65.095, 71.263),
    "windowedGaussian": (38.295, 20.050, 46.093),
}
CLOSE = 0.01
BATCH = 64
"""Points handed over at a time; the result is the same for every size, as a test shows."""


@dataclass(frozen=True)
class Run:
    """What the detector said about one file, and what that cost."""

    scores: Floats
    seconds: float
    state_bytes: int


def run(file: Labelled) -> Run:
    """Show a file to a new detector, in order; its state is measured at its largest."""
    detector = Detector()
    scores, spent, largest = [], 0.0, 0
    for start in range(0, len(file.values), BATCH):
        at, values = file.at[start : start + BATCH], file.values[start : start + BATCH]
        began = time.process_time()
        scores.append(detector.update_many(at, values).score)
        spent += time.process_time() - began
        if start // BATCH % 8 == 0 or start + BATCH >= len(file.values):
            largest = max(largest, len(detector.dump()))
    return Run(np.concatenate(scores), spent, largest)


def one_by_one(file: Labelled, points: int = 2000) -> float:
    """Return the microseconds a point takes that comes alone."""
    detector = Detector()
    began = time.process_time()
    for at, value in zip(file.at[:points].tolist(), file.values[:points].tolist(), strict=True):
        detector.update(at, value)
    return 1e6 * (time.process_time() - began) / min(points, len(file.values))


def write_scores(out: Path, file: Labelled, scores: Floats) -> None:
    """Write a file's scores in the benchmark's own shape."""
    path = out / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["timestamp", "value", "anomaly_score"])
        for stamp, value, score in zip(file.stamps, file.values.tolist(), scores.tolist(), strict=True):
            writer.writerow([stamp, repr(value), f"{score:.9g}"])


def check_scorer(reference: Path, corpus: list[Labelled]) -> dict[str, Any] | None:
    """Score the published detectors; None where the corpus does not bring their scores."""
    found = {name for name in PUBLISHED if all((reference / name / file.name).is_file() for file in corpus)}
    if not corpus or found != set(PUBLISHED):
        return None
    checked: dict[str, Any] = {}
    for name, published in PUBLISHED.items():
        scores = {file.name: read_column(reference / name / file.name, "anomaly_score")[1] for file in corpus}
        ours = [scored.score for scored in judge_all(corpus, scores).values()]
        checked[name] = {"ours": [round(score, 3) for score in ours], "published": list(published)}
        checked[name]["agrees"] = all(abs(a - b) <= CLOSE for a, b in zip(ours, published, strict=True))
    return checked


def report(corpus: list[Labelled], runs: list[Run], checked: dict[str, Any] | None) -> dict[str, Any]:
    """Put the figures together."""
    windows = sum(len(file.windows) for file in corpus)
    streams = {file.name: run.scores for file, run in zip(corpus, runs, strict=True)}
    scored = judge_all(corpus, streams) if windows else {}
    if not windows:
        print("No labelled windows: scores of points are written, but there is nothing to be scored against.")
    points = sum(len(file.values) for file in corpus)
    sizes = [run.state_bytes for run in runs]
    return {
        "files": len(corpus),
        "points": points,
        "windows": windows,
        "scores": {name: round(found.score, 2) for name, found in scored.items()},
        "thresholds": {name: round(found.threshold, 4) for name, found in scored.items()},
        "aims": AIMS,
        "microseconds_a_point": round(1e6 * sum(run.seconds for run in runs) / points, 1),
        "microseconds_a_point_alone": round(one_by_one(max(corpus, key=lambda file: len(file.values))), 1),
        "state_bytes_max": max(sizes),
        "state_bytes_median": int(statistics.median(sizes)),
        "scorer_check": checked if checked is not None else "no published scores beside this corpus",
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=CORPUS / "data", help="folder of groups of CSV files")
    parser.add_argument("--labels", type=Path, default=None, help="JSON file of labelled windows")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "anomaly", help="where the scores of files go")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the figures go")
    parser.add_argument("--jobs", type=int, default=1, help="processes (each file is judged by one)")
    return parser.parse_args()


def labels_beside(data: Path) -> Path | None:
    """Return where the labels of a folder of data usually are, or None."""
    places = [data.parent / "labels" / "combined_windows.json", data / "labels" / "combined_windows.json"]
    return next((place for place in places if place.is_file()), None)


def read(options: argparse.Namespace) -> tuple[list[Labelled], list[str]]:
    """Read what is to be judged; SystemExit says what is missing."""
    if not options.data.is_dir():
        raise SystemExit(f"No data: {options.data} is no folder. Give a NAB-shaped one with --data DIR.")
    labels = options.labels or labels_beside(options.data)
    if options.labels and not options.labels.is_file():
        raise SystemExit(f"No labels: {options.labels} is no file.")
    try:
        corpus, missing = read_corpus(options.data, labels)
    except (OSError, KeyError, ValueError, TypeError) as problem:
        raise SystemExit(f"Cannot read the corpus: {type(problem).__name__}: {problem}") from problem
    empty = [file.name for file in corpus if not len(file.values)]
    if empty or not corpus:
        raise SystemExit(f"No data: {options.data} holds no CSV file with rows. Empty: {', '.join(empty) or 'none'}.")
    if missing:
        print(f"{len(missing)} labelled files are not in {options.data} and do not count: {', '.join(missing)}")
    return corpus, missing


def main() -> int:
    """Judge a corpus; 1 when the scorer does not agree with what was published."""
    options = arguments()
    corpus, missing = read(options)
    reference = options.data.parent / "reference"
    checked = None if missing else check_scorer(reference, corpus)
    with ProcessPoolExecutor(options.jobs) as workers:
        runs = list(workers.map(run, corpus))
    for file, result in zip(corpus, runs, strict=True):
        write_scores(options.out, file, result.scores)
    figures = report(corpus, runs, checked) | {"missing_files": missing, "batch": measure_batch()}
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))
    return 0 if checked is None or all(row["agrees"] for row in checked.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
