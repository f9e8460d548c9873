"""The forest answers as scikit-learn's does, survives storage, and takes no foreign bytes for a forest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.scoring.numerics.forest import ROWS_A_TREE, TREES, VERSION, Forest
from alerting.scoring.numerics.packing import BadModel, pack, unpack


def rows(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 5))


@pytest.fixture(scope="module")
def forest() -> Forest:
    return Forest.grow(rows(800))


def test_it_scores_as_scikit_learn_does(forest: Forest) -> None:
    from sklearn.ensemble import IsolationForest

    grown_from, asked = rows(800).astype(np.float32), rows(300, seed=2).astype(np.float32)
    reference = IsolationForest(n_estimators=TREES, max_samples=ROWS_A_TREE, random_state=7).fit(grown_from)
    np.testing.assert_allclose(forest.score(asked), -reference.score_samples(asked), atol=1e-6)


def test_what_lies_apart_has_a_small_tail(forest: Forest) -> None:
    apart = forest.tail_probability(np.full((1, 5), 6.0))[0]
    middle = forest.tail_probability(np.zeros((1, 5)))[0]
    assert apart < 0.01 < 0.5 < middle


def test_tail_probabilities_are_honest_for_rows_of_the_same_kind(forest: Forest) -> None:
    probabilities = forest.tail_probability(rows(4_000, seed=3))
    assert 0.02 < (probabilities < 0.05).mean() < 0.09


def test_storage_changes_nothing(forest: Forest) -> None:
    asked = rows(50, seed=4)
    again = Forest.load(forest.dump())
    assert (again.score(asked) == forest.score(asked)).all()
    assert (again.tail_probability(asked) == forest.tail_probability(asked)).all()
    assert len(forest.dump()) < 256 * 1024


def test_few_equal_rows_and_no_rows_are_fine() -> None:
    forest = Forest.grow(np.ones((2, 5)))
    assert np.isfinite(forest.score(np.ones((3, 5)))).all()
    assert forest.score(np.zeros((0, 5))).shape == (0,)


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadModel):
        Forest.load(data)


def test_a_branch_that_leads_astray_is_refused(forest: Forest) -> None:
    arrays, facts = unpack(forest.dump(), "isolation-forest", VERSION)
    for name, value in (("left", -1), ("left", 0), ("right", 10_000)):
        broken = arrays[name].copy()
        broken[0] = value
        with pytest.raises(BadModel, match="branch"):
            Forest.load(pack("isolation-forest", VERSION, arrays | {name: broken}, facts))


def test_a_forest_for_other_features_is_refused(forest: Forest) -> None:
    assert Forest.load(forest.dump(), 5)
    with pytest.raises(BadModel, match="other features"):
        Forest.load(forest.dump(), 4)


def test_values_that_are_no_numbers_and_wrong_lengths_are_refused(forest: Forest) -> None:
    arrays, facts = unpack(forest.dump(), "isolation-forest", VERSION)
    with pytest.raises(BadModel, match="not numbers"):
        Forest.load(pack("isolation-forest", VERSION, arrays | {"tail": np.array([np.nan], np.float32)}, facts))
    for name in ("left", "feature", "starts"):
        with pytest.raises(BadModel, match="fit together"):
            Forest.load(pack("isolation-forest", VERSION, arrays | {name: arrays[name][:-1]}, facts))
    with pytest.raises(BadModel, match="version"):
        Forest.load(pack("isolation-forest", VERSION + 1, arrays, facts))
    with pytest.raises(BadModel, match="missing"):
        Forest.load(pack("isolation-forest", VERSION, {}, {}))
