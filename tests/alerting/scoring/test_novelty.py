"""What is unusual for a tenant is said to be, with the reason; what is merely new every day is not."""

import random

import numpy as np
import pytest

from alerting.scoring.numerics.novelty import LEAST_HISTORY, NoveltyModel
from alerting.scoring.numerics.packing import BadModel
from alerting.scoring.numerics.rarity import FEATURES, Rarity, Seen

SERVICES = ("billing", "search", "ads", "login")
NAMES = ("HighLatency", "DiskFull", "ErrorRate", "Restarted", "Restarted")


def alerts(count: int, seed: int = 3, start: int = 0) -> list[Seen]:
    """Everyday alerts, one every few seconds; the instance is new almost every time."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        minute = start + number // 15
        service = chance.choice(SERVICES)
        labels = {
            "alertname": chance.choice(NAMES),
            "service": service,
            "instance": f"node-{chance.randrange(10**6)}",
            "region": chance.choice(("eu", "us")),
        }
        found.append(Seen(labels, minute // 60 % 24, minute, chance.choice((20, 30))))
    return found


def odd(**labels: str) -> Seen:
    everyday = alerts(1, seed=9, start=5_000)[0]
    return Seen({**everyday.labels, **labels}, everyday.hour, everyday.minute, everyday.severity)


@pytest.fixture(scope="module")
def model() -> NoveltyModel:
    learned = NoveltyModel.learn(alerts(3_000))
    assert learned is not None
    return learned


def test_everyday_alerts_are_not_news(model: NoveltyModel) -> None:
    # Of as many alerts a minute as usual.
    batches = [alerts(15, seed=seed, start=6_000) for seed in range(30)]
    probabilities = np.array([one.probability for batch in batches for one in model.judge(batch)])
    assert (probabilities < 0.01).mean() < 0.02


@pytest.mark.parametrize(
    ("alert", "reason"),
    [
        (odd(region="antarctica"), "label_value"),
        (odd(alertname="Meteor"), "name"),
        (odd(tenant_of_ours="x", cluster="y"), "label_set"),
    ],
)
def test_a_value_a_name_or_a_label_never_seen_is(model: NoveltyModel, alert: Seen, reason: str) -> None:
    (judged,) = model.judge([alert])
    assert judged.probability < 0.02
    assert reason in judged.reasons


def test_a_label_that_is_new_every_day_is_nothing(model: NoveltyModel) -> None:
    (judged,) = model.judge([odd(instance="never-seen")])
    assert judged.probability > 0.1


def test_an_hour_at_which_it_never_fires_is_news() -> None:
    def nightly(day: int, hour: int) -> Seen:
        return Seen({"alertname": "Backup", "service": "db"}, hour, day * 1_440 + hour * 60, 20)

    history = [nightly(day, 3) for day in range(60)] + [
        Seen({"alertname": "Slow", "service": "db"}, hour, day * 1_440 + hour * 60, 20)
        for day in range(60)
        for hour in range(24)
    ]
    model = NoveltyModel.learn(history)
    assert model is not None
    usual, odd_hour = model.judge([nightly(70, 3)])[0], model.judge([nightly(70, 15)])[0]
    assert odd_hour.probability < usual.probability
    assert "hour" in odd_hour.reasons


def test_a_storm_is_seen_by_its_pace(model: NoveltyModel) -> None:
    storm = [Seen({"alertname": "DiskFull", "service": "ads", "region": "eu"}, 3, 9_000, 20)] * 200
    judged = model.judge(storm)[0]
    assert judged.probability < 0.02
    assert "pace" in judged.reasons


def test_storage_changes_nothing(model: NoveltyModel) -> None:
    batch = alerts(40, seed=5, start=7_000)
    assert NoveltyModel.load(model.dump()).judge(batch) == model.judge(batch)
    assert len(model.dump()) < 512 * 1024


def test_a_short_past_teaches_nothing() -> None:
    assert NoveltyModel.learn(alerts(LEAST_HISTORY - 1)) is None


def test_nothing_known_surprises_nobody_and_features_are_finite() -> None:
    empty = Rarity.learn([])
    rows = empty.features([Seen({}, 0, 0, 10), odd()])
    assert rows.shape == (2, len(FEATURES))
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("data", [b"", b"\x80", Rarity.learn([]).dump()])
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadModel):
        NoveltyModel.load(data)
    with pytest.raises(BadModel):
        Rarity.load(data + b"x")
