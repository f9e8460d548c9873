"""Metrics on one grid, their seasons removed, and what does not fit together; arrays only."""

import numpy as np
import pytest

from alerting.scoring.numerics.packing import BadModel, pack, unpack
from metrics.entities.grid import Piece, rows_of
from metrics.entities.model import EntityModel, TooLittle
from metrics.seasons import Calendar, Kind

DAY = 86_400.0
START = 20_000 * DAY


def work(days: float, *, seed: int = 1, start: float = START, swing: float = 40.0) -> list[Piece]:
    """CPU follows requests, which follow the day; latency has a long tail."""
    chance = np.random.default_rng(seed)
    at = start + np.arange(int(days * 1_440)) * 60.0
    requests = 100 + swing * np.sin(at / DAY * 2 * np.pi) + chance.normal(0, 6, len(at))
    values = {
        "cpu": 0.5 * requests + chance.normal(0, 1, len(at)),
        "latency": chance.lognormal(3, 0.3, len(at)),
        "requests": requests,
    }
    return [Piece(name, at, value, 60.0) for name, value in values.items()]


@pytest.fixture(scope="module")
def model() -> EntityModel:
    return EntityModel.fit(work(8), START, START + 8 * DAY, 60.0, Calendar())


def look(model: EntityModel, pieces: list[Piece]) -> tuple[np.ndarray, dict[str, object]]:
    """The depths of all rows, and what is told of the last."""
    first, last = int(pieces[0].at[0] // 60), int(pieces[0].at[-1] // 60)
    found = model.look(pieces, first, last)
    return found.depth, model.tell(found, len(found.depth) - 1, {"cpu": "percent"})


def changed(pieces: list[Piece], **last: float) -> list[Piece]:
    """The same with other last values."""
    for piece in pieces:
        if piece.metric in last:
            piece.value[-1] = last[piece.metric]
    return pieces


def test_a_grid_takes_means_and_latest_values_and_averages_series_of_a_metric() -> None:
    pieces = [
        Piece("cpu", np.array([0.0, 30.0, 60.0, 300.0]), np.array([1.0, 3.0, 5.0, 7.0]), 60.0),
        Piece("cpu", np.array([0.0, 60.0]), np.array([4.0, 9.0]), 60.0),
        Piece("heap", np.array([-60.0]), np.array([8.0]), 300.0),
    ]
    rows = rows_of(pieces, ["cpu", "heap", "other"], 0, 5, 60.0)
    # Both stand for three of their intervals at most.
    assert rows[:, 0].tolist() == pytest.approx([3.0, 7.0, 7.0, 7.0, 7.0, 7.0], nan_ok=True)
    assert rows[:, 1].tolist() == [8.0] * 6
    assert np.isnan(rows[:, 2]).all()


def test_what_is_too_old_is_unknown() -> None:
    rows = rows_of([Piece("cpu", np.array([0.0]), np.array([1.0]), 60.0)], ["cpu"], 0, 5, 60.0)
    assert np.isfinite(rows[:, 0]).tolist() == [True, True, True, True, False, False]


def test_a_counter_gives_its_change_and_nothing_when_it_began_anew() -> None:
    at = np.arange(5) * 60.0
    counter = Piece("sent", at, np.array([0.0, 60.0, 180.0, 0.0, 60.0]), 60.0, is_counter=True)
    assert rows_of([counter], ["sent"], 1, 4, 60.0)[:, 0].tolist() == [1.0, 2.0, 2.0, 1.0]


def test_metrics_that_part_are_found_within_their_own_ranges_and_named(model: EntityModel) -> None:
    usual = work(0.1, seed=2, start=START + 8 * DAY)
    level = float(usual[2].value[-1])
    calm, _told = look(model, usual)
    parted, told = look(model, changed(usual, cpu=0.5 * level + 12))
    assert calm.max() < 4.2
    assert parted[-1] > 4.2
    assert usual[0].value[-1] < 85  # busy hours have more
    assert next(iter(told["features"])) == "cpu"  # type: ignore[call-overload]
    first = told["metrics"][0]  # type: ignore[index]
    assert first["unit"] == "percent"
    assert first["value"] == pytest.approx(0.5 * level + 12)
    assert abs(first["usual"] - 0.5 * level) < 12


def test_seasons_are_learned_so_that_the_hour_counts(model: EntityModel) -> None:
    assert {season.kind for season in model.seasons[::2]} == {Kind.DAILY}
    assert model.seasons[1].kind is Kind.NONE
    # By day 138 requests are usual, at night they are not, though CPU fits them.
    night = work(0.75, seed=3, start=START + 8 * DAY)
    depth, told = look(model, changed(night, requests=138.0, cpu=69.0))
    assert depth[-1] > 4.2
    assert told["season"] == "daily"


def test_chance_alone_is_found_as_rarely_as_promised(model: EntityModel) -> None:
    depth, _told = look(model, work(5, seed=4, start=START + 8 * DAY))
    assert (depth > 4.2).sum() <= 2
    assert 0.3 < (depth > 2).mean() / 0.01 < 3


def test_rows_of_which_nearly_nothing_is_known_say_nothing(model: EntityModel) -> None:
    (cpu, *_others) = changed(work(0.1, seed=5), cpu=1_000.0)
    depth, _told = look(model, [cpu])
    assert depth.max() == 0


def test_storage_changes_nothing(model: EntityModel) -> None:
    data = model.dump()
    again = EntityModel.load(data, Calendar())
    assert len(data) < 256 * 1024
    assert np.array_equal(look(again, work(0.2, seed=6))[0], look(model, work(0.2, seed=6))[0])
    assert again.dump() == data


def test_foreign_bytes_are_refused(model: EntityModel) -> None:
    arrays, facts = unpack(model.dump(), "entity", 1)
    broken = [
        b"",
        pack("entity", 2, arrays, facts),
        pack("entity", 1, {}, facts),
        pack("entity", 1, arrays, facts | {"season_0": "yearly"}),
        pack("entity", 1, arrays | {"profile_0": np.zeros(3)}, facts),
        pack("entity", 1, arrays | {"forest": arrays["forest"][:-1]}, facts),
    ]
    for data in broken:
        with pytest.raises(BadModel):
            EntityModel.load(data, Calendar())


@pytest.mark.parametrize("pieces", [[], work(0.1), work(2)[:1]])
def test_too_little_history_is_refused(pieces: list[Piece]) -> None:
    with pytest.raises(TooLittle):
        EntityModel.fit(pieces, START, START + 2 * DAY if len(pieces) == 1 else START + 0.1 * DAY, 60.0, Calendar())


def test_a_metric_that_is_hardly_known_is_left_out() -> None:
    pieces = work(2)
    rare = Piece("rare", pieces[0].at[::100], pieces[0].value[::100], 60.0)
    assert EntityModel.fit([*pieces, rare], START, START + 2 * DAY, 60.0, Calendar()).names == (
        "cpu",
        "latency",
        "requests",
    )
