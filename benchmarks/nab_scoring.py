"""The NAB score of a corpus of anomaly scores, as published (Lavin and Ahmad 2015, arXiv:1510.03336)."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PROBATION_SHARE = 0.15
PROBATION_ROWS = 750


@dataclass(frozen=True)
class Profile:
    """What a found window earns, and what a false alarm and a missed window cost."""

    name: str
    found: float
    false_alarm: float
    missed: float


PROFILES = (
    Profile("standard", 1.0, 0.11, 1.0),
    Profile("reward_low_FP_rate", 1.0, 0.22, 1.0),
    Profile("reward_low_FN_rate", 1.0, 0.11, 2.0),
)


@dataclass(frozen=True)
class Labelled:
    """One file: its times in seconds, its values, and the rows (first, last) of its labelled windows."""

    name: str
    stamps: list[str]
    at: Floats
    values: Floats
    windows: list[tuple[int, int]]


def seconds(stamp: str) -> float:
    """Read a time of the corpus, which names no zone, as UTC."""
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp()


def read_column(path: Path, column: str) -> tuple[list[str], Floats]:
    """Return the stamps and one column of a file of the corpus."""
    with path.open(newline="") as lines:
        rows = [(row["timestamp"], float(row[column])) for row in csv.DictReader(lines)]
    return [stamp for stamp, _ in rows], np.array([value for _, value in rows], dtype=np.float64)


def read_corpus(data: Path, labels: Path | None) -> tuple[list[Labelled], list[str]]:
    """Read every file of the data, and return it with the names of labelled files that are not there.

    A file without an entry among the labels has no windows to find.
    """
    windows_of: dict[str, list[list[str]]] = json.loads(labels.read_text()) if labels else {}
    present = sorted(path.relative_to(data).as_posix() for path in data.glob("**/*.csv"))
    corpus = [read_labelled(data, name, windows_of.get(name, [])) for name in present]
    return corpus, sorted(set(windows_of) - set(present))


def read_labelled(data: Path, name: str, windows: Sequence[Sequence[str]]) -> Labelled:
    """Read one file and turn the times of its windows into rows."""
    stamps, values = read_column(data / name, "value")
    at = np.array([seconds(stamp) for stamp in stamps])
    rows = []
    for start, end in windows:
        inside = np.flatnonzero((at >= seconds(start)) & (at <= seconds(end)))
        if len(inside):
            rows.append((int(inside[0]), int(inside[-1])))
    return Labelled(name, stamps, at, values, rows)


def probation(rows: int) -> int:
    """Return how many first rows of a file nobody is judged on."""
    return int(min(np.floor(PROBATION_SHARE * rows), PROBATION_ROWS))


def sigmoid(place: Floats) -> Floats:
    """Return what a row is worth by its place: 1 well before a window's end, -1 far behind it."""
    inside = 2.0 / (1.0 + np.exp(5.0 * np.minimum(place, 3.0))) - 1.0
    return np.where(place > 3.0, -1.0, inside)


def worth(rows: int, windows: Sequence[tuple[int, int]]) -> tuple[Floats, Ints]:
    """Return for each row its unweighted worth and its window's number (-1 outside every window)."""
    value = np.full(rows, -1.0)
    window_of = np.full(rows, -1, dtype=np.int64)
    index = np.arange(rows)
    for number, (first, last) in enumerate(windows):
        width = last - first + 1
        after = index > last
        value[after] = sigmoid((index[after] - last) / max(width - 1, 1))
        inside = (index >= first) & (index <= last)
        value[inside] = sigmoid(-(last - index[inside] + 1) / width) / sigmoid(np.array([-1.0]))[0]
        window_of[inside] = number
    return value, window_of


@dataclass(frozen=True)
class Prepared:
    """A corpus ready to be scored: for each judged row its worth and its window (numbered over all files)."""

    worth: Floats
    window: Ints
    judged: list[Ints]
    windows: int


def prepare(corpus: Sequence[Labelled]) -> Prepared:
    """Work out once what each row is worth; the scores of many detectors can then be judged."""
    worths, windows, judged, count = [], [], [], 0
    for file in corpus:
        value, window_of = worth(len(file.values), file.windows)
        rows = np.arange(probation(len(file.values)), len(file.values))
        judged.append(rows)
        worths.append(value[rows])
        windows.append(np.where(window_of[rows] >= 0, window_of[rows] + count, -1))
        count += len(file.windows)
    return Prepared(np.concatenate(worths), np.concatenate(windows), judged, count)


@dataclass(frozen=True)
class Scored:
    """The best score a profile gives a stream, and the threshold that earns it."""

    score: float
    threshold: float


def judge(prepared: Prepared, scores: Sequence[Floats], profile: Profile) -> Scored:
    """Sweep the threshold over all distinct scores of the corpus and keep the best."""
    score = np.concatenate([file[rows] for file, rows in zip(scores, prepared.judged, strict=True)])
    order = np.argsort(-score, kind="stable")
    score, value, window = score[order], prepared.worth[order], prepared.window[order]
    change = np.where(window < 0, profile.false_alarm * value, 0.0)
    for number in range(prepared.windows):
        rows = np.flatnonzero(window == number)
        best = np.maximum.accumulate(profile.found * value[rows])
        change[rows] = np.diff(best, prepend=-profile.missed)
    total = np.cumsum(change) - profile.missed * prepared.windows
    last_of_ties = np.append(score[1:] != score[:-1], True)
    total = np.where(last_of_ties, total, -np.inf)
    place = int(np.argmax(total))
    null = -profile.missed * prepared.windows
    perfect = profile.found * prepared.windows
    if total[place] <= null:
        return Scored(0.0, float("inf"))
    return Scored(100.0 * float(total[place] - null) / (perfect - null), float(score[place]))


def judge_all(corpus: Sequence[Labelled], scores: Mapping[str, Floats]) -> dict[str, Scored]:
    """Return the score of each profile for a detector's scores by file name."""
    prepared = prepare(corpus)
    streams = [scores[file.name] for file in corpus]
    return {profile.name: judge(prepared, streams, profile) for profile in PROFILES}
