"""The scorer agrees with what was published, and the benchmark runs on any folder of that shape."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.anomaly import AIMS, CORPUS, PUBLISHED, ROOT, check_scorer, run
from benchmarks.nab_scoring import Labelled, judge_all, prepare, probation, read_corpus, worth
from tests.metrics.detection.series import daily, minutes

needs_corpus = pytest.mark.skipif(not (CORPUS / "data").is_dir(), reason="the corpus is not on this machine")


@needs_corpus
def test_published_detectors_get_their_published_scores() -> None:
    corpus, missing = read_corpus(CORPUS / "data", CORPUS / "labels" / "combined_windows.json")

    checked = check_scorer(CORPUS / "reference", corpus)

    assert not missing
    assert checked is not None
    assert {name: row["agrees"] for name, row in checked.items()} == dict.fromkeys(PUBLISHED, True)


@needs_corpus
@pytest.mark.slow
def test_the_shipped_detector_reaches_its_aims_within_its_budget() -> None:
    corpus, _ = read_corpus(CORPUS / "data", CORPUS / "labels" / "combined_windows.json")

    runs = {file.name: run(file) for file in corpus}
    found = judge_all(corpus, {name: one.scores for name, one in runs.items()})

    assert all(found[name].score >= aim for name, aim in AIMS.items())
    assert max(one.state_bytes for one in runs.values()) < 256 * 1024


def file_of(rows: int, windows: list[tuple[int, int]]) -> Labelled:
    return Labelled("group/file.csv", [""] * rows, np.arange(float(rows)), np.zeros(rows), windows)


def test_perfect_and_silent_streams_bound_the_score() -> None:
    file = file_of(1000, [(500, 599)])
    silent, perfect = np.zeros(1000), np.zeros(1000)
    perfect[500] = 1.0

    assert judge_all([file], {file.name: silent})["standard"].score == 0.0
    assert judge_all([file], {file.name: perfect})["standard"].score == pytest.approx(100.0, abs=0.5)


def test_early_in_a_window_is_worth_more_and_far_behind_it_costs_all() -> None:
    value, window = worth(1000, [(500, 599)])

    assert value[500] == pytest.approx(1.0)
    assert value[550] > value[599] > 0.0
    assert value[600] > value[650] > value[999] == -1.0
    assert value[10] == -1.0
    assert (window >= 0).sum() == 100


def test_the_first_rows_are_not_judged() -> None:
    assert probation(1000) == 150
    assert probation(100_000) == 750
    assert prepare([file_of(1000, [])]).judged[0][0] == 150


def test_a_false_alarm_costs_twice_as_much_where_false_alarms_matter() -> None:
    file = file_of(1000, [(500, 599)])
    noisy = np.zeros(1000)
    noisy[[300, 500]] = 1.0

    found = judge_all([file], {file.name: noisy})

    assert found["standard"].score == pytest.approx(100.0 - 11.0 / 2.0, abs=0.1)
    assert found["reward_low_FP_rate"].score == pytest.approx(100.0 - 22.0 / 2.0, abs=0.1)
    assert found["reward_low_FN_rate"].score == pytest.approx(100.0 - 11.0 / 3.0, abs=0.1)


def corpus_at(folder: Path) -> Path:
    """Write a small corpus with one planted outlier."""
    at = minutes(6)
    values = daily(at)
    values[1400] += 90.0
    stamps = [str(np.datetime64(int(moment), "s")).replace("T", " ") for moment in at]
    (folder / "data" / "group").mkdir(parents=True)
    with (folder / "data" / "group" / "one.csv").open("w", newline="") as lines:
        csv.writer(lines).writerows([("timestamp", "value"), *zip(stamps, values.tolist(), strict=True)])
    windows = {"group/one.csv": [[stamps[1390], stamps[1450]]], "group/two.csv": []}
    (folder / "windows.json").write_text(json.dumps(windows))
    return folder


def benchmark(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    places = ["--data", folder / "data", "--out", folder / "out", "--results", folder / "figures.json"]
    command = [sys.executable, ROOT / "benchmarks" / "anomaly.py", *places, *more]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.slow
def test_any_folder_of_that_shape_is_judged(tmp_path: Path) -> None:
    folder = corpus_at(tmp_path)

    done = benchmark(folder, "--labels", str(folder / "windows.json"))

    assert done.returncode == 0, done.stderr
    assert "1 labelled files are not in" in done.stdout
    figures = json.loads((folder / "figures.json").read_text())
    assert figures["scores"]["standard"] > 85.0
    assert figures["missing_files"] == ["group/two.csv"]
    with (folder / "out" / "group" / "one.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["timestamp", "value", "anomaly_score"]
    assert len(rows) == 1728
    assert float(rows[1400]["anomaly_score"]) >= 1.0


def test_missing_data_is_said_clearly(tmp_path: Path) -> None:
    done = benchmark(tmp_path)

    assert done.returncode != 0
    assert "No data" in done.stderr
