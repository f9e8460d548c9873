"""Every detector of one series: online, resumable, robust against what real data brings."""

import numpy as np
import pytest

from metrics.detection import DETECTORS, Config, Detector, Judgements, create, load
from tests.metrics.detection.series import DAY, MONDAY, cuts, daily, minutes

COLUMNS = ("score", "probability", "expected", "low", "high", "raw", "season", "confidence")

every_kind = pytest.mark.parametrize("kind", sorted(DETECTORS))


def columns(pieces: list[Judgements]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in COLUMNS}


@every_kind
def test_dumping_and_loading_between_batches_changes_no_bit(kind: str) -> None:
    at = minutes(8)
    values = daily(at)
    values[1500] += 60.0
    whole = create(kind)
    at_once = columns([whole.update_many(at, values)])

    detector, pieces = create(kind), []
    for cut in cuts(len(at)):
        pieces.append(detector.update_many(at[cut], values[cut]))
        detector = load(detector.dump())

    for name, column in columns(pieces).items():
        assert np.array_equal(column, at_once[name], equal_nan=True), name
    assert detector.dump() == whole.dump()


@every_kind
def test_it_never_looks_ahead(kind: str) -> None:
    at = minutes(4)
    values = daily(at)
    other = values.copy()
    other[800:] += 500.0

    before, after = create(kind).update_many(at, values), create(kind).update_many(at, other)

    assert np.array_equal(before.raw[:800], after.raw[:800])
    assert not np.array_equal(before.raw[800:], after.raw[800:])


@every_kind
def test_an_outlier_alarms_and_ordinary_points_hardly_ever(kind: str) -> None:
    at = minutes(14)
    values = daily(at)
    values[3500] += 80.0

    judged = create(kind).update_many(at, values)

    assert judged.score[3500] >= 1.0
    assert judged.probability[3500] < 1e-3
    assert (judged.score[600:3500] >= 1.0).sum() <= 6


@every_kind
def test_what_is_no_number_is_passed_over(kind: str) -> None:
    at = minutes(3)
    values = daily(at)
    holes = values.copy()
    holes[[100, 400, 401, 700]] = [np.nan, np.inf, -np.inf, 1e300]
    kept = np.abs(np.nan_to_num(holes, nan=np.inf)) < 1e30

    judged = create(kind).update_many(at, holes)
    without = create(kind).update_many(at[kept], values[kept])

    assert judged.judged.tolist() == kept.tolist()
    assert np.array_equal(judged.score[kept], without.score)
    assert judged.score[~kept].tolist() == [0.0] * 4


@every_kind
def test_the_unit_of_a_metric_does_not_matter(kind: str) -> None:
    at = minutes(6)
    values = daily(at)
    values[1200:1230] += 40.0

    small, large = create(kind).update_many(at, values), create(kind).update_many(at, values * 2.0**20)

    assert np.corrcoef(small.raw, large.raw)[0, 1] > 0.999


@every_kind
@pytest.mark.parametrize("values", [np.zeros(400), np.full(400, 7.3), np.arange(400.0), np.tile([0.0, 1.0], 200)])
def test_regular_series_raise_nothing(kind: str, values: np.ndarray) -> None:
    judged = create(kind).update_many(MONDAY + 60.0 * np.arange(400), values)

    assert not (judged.score[100:] >= 1.0).any()


def test_the_first_change_of_a_flat_line_alarms_once() -> None:
    values = np.full(600, 5.0)
    values[500:] = 6.0

    score = Detector().update_many(MONDAY + 60.0 * np.arange(600), values).score

    assert np.flatnonzero(score >= 1.0).tolist() == [500]


def test_a_small_wave_on_a_great_level_keeps_its_shape() -> None:
    at = minutes(5)
    values = daily(at)
    values[1200] += 60.0

    near = Detector().update_many(at, values)
    far = Detector().update_many(at, values + 1e9)

    assert far.score[1200] >= 1.0
    assert np.allclose(near.raw, far.raw, atol=0.05)


def test_irregular_and_gappy_data_is_judged_by_its_own_hours() -> None:
    chance = np.random.default_rng(3)
    at = np.sort(MONDAY + chance.uniform(0.0, 14 * DAY, 3000))
    at = at[(at < MONDAY + 6 * DAY) | (at > MONDAY + 8 * DAY)]
    detector = Detector()
    values = daily(at)

    judged = detector.update_many(at, values)
    noon = at[-1] - at[-1] % DAY + DAY + 0.25 * DAY
    late = detector.update(noon, 120.0)

    assert late.season == "day"
    assert late.expected == pytest.approx(120.0, abs=6.0)
    assert (judged.score[500:] >= 1.0).sum() <= 6


def test_the_interval_is_learned_and_its_change_noticed() -> None:
    hourly = MONDAY + 3600.0 * np.arange(24 * 20)
    detector = Detector()
    detector.update_many(hourly, daily(hourly))
    assert detector.season.day.size == 24

    faster = hourly[-1] + 60.0 * np.arange(1, 600)
    detector.update_many(faster, daily(faster))

    assert detector.season.interval.usual == 60.0
    assert detector.season.day.size == 288


def test_a_judgement_says_why() -> None:
    at = minutes(10)
    detector = Detector()
    detector.update_many(at, daily(at))

    found = detector.update(at[-1] + 300.0, 250.0)

    assert found.score >= 1.0
    assert found.season == "day"
    assert found.low < found.expected < found.high < 250.0
    assert next(iter(found.parts)) == "value_gap"
    assert found.confidence > 0.99
    assert list(found.parts.values()) == sorted(found.parts.values(), reverse=True)


def test_the_band_holds_nearly_all_ordinary_points() -> None:
    at = minutes(40)
    values = daily(at)

    judged = Detector().update_many(at, values)
    inside = (judged.low <= values) & (values <= judged.high)

    assert 0.975 <= inside[2000:].mean() <= 0.998


def test_a_new_detector_is_not_confident() -> None:
    at = minutes(1)

    confidence = Detector().update_many(at, daily(at)).confidence

    assert confidence[:30].max() < 0.05
    assert confidence.max() < 0.5


def test_probabilities_mean_the_same_for_every_detector() -> None:
    at = minutes(40)
    values = daily(at, seed=5)

    for kind in DETECTORS:
        probability = create(kind).update_many(at, values).probability[2000:]
        for level in (0.1, 0.01):
            assert level / 1.6 < (probability <= level).mean() < level * 1.6, kind


def test_times_and_values_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        Detector().update_many([1.0, 2.0], [1.0])


def test_parameters_that_make_no_sense_are_refused() -> None:
    for wrong in ({"gap_memory": 0}, {"levels": ()}, {"levels": (2.0, 1.0)}, {"tail_scale": 0.0}):
        with pytest.raises(ValueError):
            Config(**wrong)
