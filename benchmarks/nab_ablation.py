"""What each choice in the shipped detector is worth, and how far the score depends on which files are looked at.

    python -m benchmarks.nab_ablation [--data DIR] [--labels FILE] [--halves 60]

Each variant is scored on all files and on random halves, drawn group by group; `ahead` is the mean difference to the
shipped detector on the same halves, `wins` the share of halves on which the variant is better. A variant that does not
win nearly always is not better: choosing among such variants by their score is how detectors are overfitted.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.anomaly import CORPUS
from benchmarks.nab_scoring import PROFILES, Floats, Labelled, Prepared, judge, prepare, read_corpus
from metrics.detection import DEFAULT, DETECTORS, Config, Detector, create
from metrics.detection.alarm import Alarms

RESULTS = Path(__file__).parent / "results" / "anomaly_ablation.json"
VARIANTS = {
    "memory 4,000 values": {"gap_memory": 4000},
    "memory 8,000 values": {"gap_memory": 8000},
    "tails over 10,000 points": {"tail_memory": 10_000},
    "one level 2.7": {"levels": (2.7,)},
    "levels 2.1, 2.6, 3.2": {"levels": (2.1, 2.6, 3.2)},
    "levels 2.2, 2.8, 3.5": {"levels": (2.2, 2.8, 3.5)},
    "levels 2.2, 2.7": {"levels": (2.2, 2.7)},
    "rest 3 % of what was seen": {"rest_share": 0.03},
    "rest 5 % of what was seen": {"rest_share": 0.05},
    "no waking": {"growth": 1e9},
    "hardly any rest": {"rest_most": 1},
}


def parts_of(file: Labelled, config: Config) -> dict[str, Floats]:
    """Return what each view of a detector says about a file."""
    return dict(Detector(config).update_many(file.at, file.values).parts)


def stream_of(file: Labelled, kind: str) -> Floats:
    """Return the scores of another detector."""
    return create(kind).update_many(file.at, file.values).score


def fused(parts: Sequence[dict[str, Floats]], names: Sequence[str], config: Config = DEFAULT) -> list[Floats]:
    """Fuse some of the views and fold the alarms in."""
    raws = [np.sqrt(sum(file[name] ** 2 for name in names)) for file in parts]
    return [np.array(Alarms(config).run(raw.tolist())) for raw in raws]


def halves(corpus: Sequence[Labelled], count: int) -> list[tuple[list[int], Prepared]]:
    """Draw random halves of the files, half of every group each time."""
    chance = np.random.default_rng(7)
    groups: dict[str, list[int]] = {}
    for place, file in enumerate(corpus):
        groups.setdefault(file.name.split("/")[0], []).append(place)
    drawn = []
    for _ in range(count):
        half: list[int] = []
        for group in groups.values():
            size = len(group) // 2 + (len(group) % 2 and int(chance.integers(2)))
            half += chance.permutation(group)[:size].tolist()
        drawn.append((sorted(half), prepare([corpus[place] for place in sorted(half)])))
    return drawn


def streams(corpus: Sequence[Labelled], workers: ProcessPoolExecutor) -> dict[str, list[Floats]]:
    """Return the scores of the shipped detector and of every variant."""

    def parts(config: Config) -> list[dict[str, Floats]]:
        return list(workers.map(parts_of, corpus, [config] * len(corpus)))

    shipped, names = parts(DEFAULT), Detector.part_names
    found = {"shipped": fused(shipped, names)}
    for name in names:
        found[f"without {name}"] = fused(shipped, [other for other in names if other != name])
    for name in names:
        found[f"only {name}"] = fused(shipped, [name])
    for label, change in VARIANTS.items():
        config = dataclasses.replace(DEFAULT, **change)
        same = {"gap_memory", "tail_memory"}.isdisjoint(change)
        found[label] = fused(shipped if same else parts(config), names, config)
    for kind in sorted(set(DETECTORS) - {Detector.kind}):
        found[f"detector {kind}"] = list(workers.map(stream_of, corpus, [kind] * len(corpus)))
    return found


def main() -> int:
    """Score every variant on everything and on the halves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=CORPUS / "data")
    parser.add_argument("--labels", type=Path, default=CORPUS / "labels" / "combined_windows.json")
    parser.add_argument("--halves", type=int, default=60)
    options = parser.parse_args()
    corpus, _ = read_corpus(options.data, options.labels)
    whole, drawn = prepare(corpus), halves(corpus, options.halves)
    with ProcessPoolExecutor(1) as workers:
        found = streams(corpus, workers)
    figures, base = {}, np.zeros(0)
    for label, scores in found.items():
        on_all = [round(judge(whole, scores, profile).score, 1) for profile in PROFILES]
        on_halves = np.array([judge(ready, [scores[p] for p in half], PROFILES[0]).score for half, ready in drawn])
        base = base if base.size else on_halves
        figures[label] = {
            "scores": on_all,
            "halves_mean": round(float(on_halves.mean()), 1),
            "halves_sd": round(float(on_halves.std()), 1),
            "ahead": round(float((on_halves - base).mean()), 2),
            "wins": round(float((on_halves > base).mean()), 2),
        }
        print(f"{label:28s} {figures[label]}")
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
