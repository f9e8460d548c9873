"""States are small, hold plain numbers only, and are refused when anything about them is wrong."""

import pickletools

import numpy as np
import pytest

from metrics.detection import DETECTORS, Config, Detector, EntityForest, StateError, create, load, warmed
from metrics.detection.state import pack, unpack
from tests.metrics.detection.series import daily, minutes

LARGEST = 256 * 1024


@pytest.mark.parametrize("kind", sorted(DETECTORS))
def test_a_full_state_is_small(kind: str) -> None:
    at = minutes(16, step=60.0)

    state = warmed(at, daily(at), kind).dump()

    assert len(state) < LARGEST


@pytest.mark.parametrize("kind", sorted(DETECTORS))
def test_an_empty_detector_can_be_stored(kind: str) -> None:
    assert load(create(kind).dump()).seen == 0


def test_a_state_carries_its_parameters() -> None:
    config = Config(gap_memory=500, zone="Europe/Paris", country="FR", levels=(1.0, 2.0, 3.0))

    assert load(Detector(config).dump()).config == config


@pytest.mark.parametrize("kind", sorted(DETECTORS))
def test_every_changed_or_missing_byte_is_noticed(kind: str) -> None:
    at = minutes(2)
    state = warmed(at, daily(at), kind).dump()
    chance = np.random.default_rng(0)

    for place in chance.integers(0, len(state), 60).tolist():
        broken = bytearray(state)
        broken[place] ^= 0x41
        with pytest.raises(StateError):
            load(bytes(broken))
        with pytest.raises(StateError):
            load(state[:place])
    with pytest.raises(StateError):
        load(state + b"x")


@pytest.mark.parametrize("kind", sorted(DETECTORS))
def test_wrong_contents_under_a_right_checksum_raise_nothing_else(kind: str) -> None:
    at = minutes(4)
    arrays = unpack(warmed(at, daily(at), kind).dump())

    for name, values in arrays.items():
        shorter = {**arrays, name: values[:-1] if values.size else np.zeros(3, dtype=values.dtype)}
        missing = {other: column for other, column in arrays.items() if other != name}
        for wrong in (shorter, missing):
            try:
                load(pack(wrong)).update(at[-1] + 300.0, 100.0)
            except StateError:
                continue
            assert name.endswith((".current", ".steps", ".rows", ".frame")) or ".trees." in name, name


def test_infinite_numbers_in_a_state_are_refused() -> None:
    at = minutes(2)
    arrays = unpack(warmed(at, daily(at)).dump())
    spoiled = arrays["value_gap.ring"].copy()
    spoiled[3] = np.nan

    with pytest.raises(StateError):
        load(pack({**arrays, "value_gap.ring": spoiled}))


def test_a_state_of_one_kind_is_not_taken_for_another() -> None:
    with pytest.raises(StateError):
        EntityForest.load(Detector().dump())
    with pytest.raises(StateError):
        Detector.load(create("tail").dump())
    with pytest.raises(StateError):
        load(pack({"kind": np.frombuffer(b"other", np.uint8)}))


def test_a_state_is_no_pickle() -> None:
    with pytest.raises(ValueError):
        list(pickletools.genops(Detector().dump()))
