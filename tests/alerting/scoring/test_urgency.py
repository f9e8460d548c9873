"""What people did decides how urgent an alert is; without a past its sender's word does."""

import random

import pytest

from alerting.scoring.numerics.packing import BadModel
from alerting.scoring.numerics.urgency import PRIOR, Case, UrgencyModel, level


def cases(count: int, seed: int = 1) -> list[Case]:
    """People act on production, hardly ever on tests, whatever the sender's severity says."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        is_production = chance.random() < 0.5
        words = (
            "env=prod" if is_production else "env=test",
            f"service={chance.choice('abcdefgh')}",
            f"alertname=N{chance.randrange(40)}",
        )
        found.append(Case(words, chance.choice(list(PRIOR)), chance.random() < (0.8 if is_production else 0.05)))
    return found


@pytest.fixture(scope="module")
def model() -> UrgencyModel:
    return UrgencyModel.learn(cases(1_200))


@pytest.mark.parametrize("severity", list(PRIOR))
def test_a_new_tenant_gets_what_its_sender_says(severity: int) -> None:
    (judged,) = UrgencyModel.learn(cases(15)).judge([Case(("service=x",), severity)])
    assert judged.probability == pytest.approx(PRIOR[severity], abs=1e-6)
    assert judged.severity == severity
    assert [factor.word for factor in judged.factors] == [f"severity={severity}"]


def test_it_learns_what_people_act_on_and_says_why(model: UrgencyModel) -> None:
    low, high = model.judge([Case(("env=test", "service=a"), 40), Case(("env=prod", "service=a"), 20)])
    assert low.severity < high.severity
    assert low.probability < 0.2 < 0.6 < high.probability
    assert next(iter(low.factors)).word == "env=test"
    assert low.factors[0].weight < 0 < high.factors[0].weight


def test_its_probabilities_are_calibrated_on_cases_it_never_saw(model: UrgencyModel) -> None:
    fresh = cases(3_000, seed=2)
    judged = model.judge(fresh)
    for lowest, highest in ((0.0, 0.2), (0.6, 1.0)):
        own = [number for number, one in enumerate(judged) if lowest <= one.probability < highest]
        assert len(own) > 300
        said = sum(judged[number].probability for number in own) / len(own)
        seen = sum(bool(fresh[number].acted) for number in own) / len(own)
        assert abs(said - seen) < 0.06


def test_the_quality_it_states_is_of_cases_it_had_not_seen(model: UrgencyModel) -> None:
    quality = model.quality
    assert quality is not None
    assert quality.examples == 1_200
    assert quality.brier < 0.8 * quality.prior_brier
    assert quality.calibration_error < 0.06
    assert quality.precision is not None
    assert quality.precision > 0.7


def test_chance_teaches_little() -> None:
    chance = random.Random(5)
    noise = [Case((f"service={chance.randrange(300)}",), 20, chance.random() < 0.5) for _ in range(400)]
    judged = UrgencyModel.learn(noise).judge([Case((f"service={number}",), 20) for number in range(50)])
    assert all(0.3 < one.probability < 0.7 for one in judged)


def test_storage_changes_nothing(model: UrgencyModel) -> None:
    again, asked = UrgencyModel.load(model.dump()), cases(30, seed=8)
    for one, other in zip(again.judge(asked), model.judge(asked), strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-3)
    assert again.quality == model.quality


def test_foreign_bytes_are_refused() -> None:
    with pytest.raises(BadModel):
        UrgencyModel.load(b"\x93")


@pytest.mark.parametrize(("probability", "severity"), [(0.0, 10), (0.15, 20), (0.45, 30), (0.75, 40), (1.0, 40)])
def test_levels(probability: float, severity: int) -> None:
    assert level(probability) == severity
