"""Forests judge without scikit-learn exactly as it would, and see metrics part that belong together."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from alerting.scoring.numerics.trees import Trees, usual_path
from metrics.detection import EntityForest, StateError, create
from metrics.detection.isolation import dump_trees, load_trees
from metrics.detection.shape_forest import ShapeForest
from metrics.detection.state import pack, unpack
from tests.metrics.detection.series import daily, minutes

NAMES = ("cpu", "requests", "latency")


def entity(rows: int, seed: int = 0) -> np.ndarray:
    """CPU follows the requests; latency is on its own, with a long tail."""
    chance = np.random.default_rng(seed)
    requests = chance.normal(100.0, 15.0, rows)
    cpu = 0.5 * requests + chance.normal(0.0, 1.0, rows)
    return np.column_stack([cpu, requests, chance.lognormal(3.0, 0.3, rows)])


@pytest.mark.parametrize(("rows", "samples"), [(2000, 128), (300, 256), (80, 64)])
def test_stored_trees_score_as_scikit_learn_does(rows: int, samples: int) -> None:
    chance = np.random.default_rng(rows)
    known, unknown = chance.normal(size=(rows, 4)), chance.normal(0.0, 3.0, (500, 4))
    theirs = IsolationForest(n_estimators=50, max_samples=min(rows, samples), random_state=1).fit(known)
    arrays = unpack(pack(dump_trees("trees", Trees.taken_from(theirs))))

    ours = load_trees("trees", arrays, 4)

    assert np.allclose(ours.score(unknown), -theirs.score_samples(unknown), rtol=0.0, atol=1e-12)


def test_usual_paths_are_the_known_ones() -> None:
    assert usual_path(np.array([0, 1, 2])).tolist() == [0.0, 0.0, 1.0]
    assert float(usual_path(np.array(256))) == pytest.approx(10.244, abs=1e-3)


def test_metrics_that_part_are_found_and_named() -> None:
    forest = EntityForest.fit(NAMES, entity(3000))
    ordinary = entity(2000, seed=1)
    parted = np.array([[65.0, 75.0, 20.0]])  # each within its own range, but this much work costs 37

    calm, found = forest.update_many(ordinary), forest.update_many(parted)

    assert found.probability[0] < 0.002
    assert set(list(found.parts[0])[:2]) == {"cpu", "requests"}
    assert 0.004 < (calm.probability <= 0.01).mean() < 0.025
    assert (calm.score >= 1.0).sum() <= 2


def test_a_forest_continues_from_its_state() -> None:
    forest = EntityForest.fit(NAMES, entity(500))
    rows = entity(200, seed=2)
    rows[7, 1] = np.nan
    state = forest.dump()

    again = EntityForest.load(state)
    pieces = [again.update_many(rows[:50]), again.update_many(rows[50:51]), again.update_many(rows[51:])]
    at_once = forest.update_many(rows)

    assert len(state) < 256 * 1024
    assert np.array_equal(np.concatenate([piece.score for piece in pieces]), at_once.score)
    assert np.array_equal(np.concatenate([piece.probability for piece in pieces]), at_once.probability)
    assert again.dump() == forest.dump()


def test_the_same_history_grows_the_same_forest() -> None:
    assert EntityForest.fit(NAMES, entity(300)).dump() == EntityForest.fit(NAMES, entity(300)).dump()


@pytest.mark.parametrize(
    "history",
    [entity(20), entity(200)[:, :2], np.full((200, 3), np.nan), np.column_stack([entity(200)[:, :2], [np.nan] * 200])],
)
def test_too_little_history_is_refused(history: np.ndarray) -> None:
    with pytest.raises(ValueError):
        EntityForest.fit(NAMES, history)


def test_a_metric_that_never_moves_does_no_harm() -> None:
    history = entity(300)
    history[:, 2] = 5.0

    found = EntityForest.fit(NAMES, history).update_many(np.array([[50.0, 100.0, 9.0], [50.0, 100.0, 5.0]]))

    assert np.isfinite(found.raw).all()
    assert found.raw[1] < 1.0


def test_trees_that_would_never_end_are_refused() -> None:
    trees = Trees.grown(entity(200), count=5, samples=64, seed=0)
    arrays = dict(dump_trees("trees", trees))
    left = arrays["trees.left"].copy()
    left[0] = 0

    with pytest.raises(StateError):
        load_trees("trees", {**arrays, "trees.left": left}, 3)
    with pytest.raises(StateError):
        load_trees("trees", arrays, 2)


def test_the_forest_of_a_series_grows_anew_when_asked() -> None:
    at = minutes(5)
    forest = create("forest")
    assert isinstance(forest, ShapeForest)
    with pytest.raises(ValueError, match="history"):
        forest.regrow()
    forest.update_many(at, daily(at))
    before = forest.dump()

    forest.regrow(seed=1)

    assert forest.dump() != before
    assert forest.update(at[-1] + 300.0, 300.0).score >= 1.0
