"""Models as bytes: they come back as they were, and nothing else is read."""

import numpy as np
import pytest

from alerting.scoring.numerics.packing import BadModel, pack, unpack


def test_arrays_and_facts_come_back() -> None:
    data = pack("test", 1, {"a": np.arange(6.0).reshape(2, 3)}, {"level": 1.5, "cell": None, "parts": (1, 2)})

    arrays, facts = unpack(data, "test", 1)

    assert facts == {"level": 1.5, "cell": None, "parts": [1, 2]}
    np.testing.assert_array_equal(arrays["a"], np.arange(6.0).reshape(2, 3))
    arrays["a"][0, 0] = 7.0  # whoever goes on learning writes into them


def test_what_is_cut_longer_or_another_is_refused() -> None:
    data = pack("test", 1, {"a": np.arange(6.0)})
    for broken in (b"", data[:-1], data + b"x", b"PICK" + data[4:], data[:12] + b"\xff" + data[13:]):
        with pytest.raises(BadModel):
            unpack(broken, "test", 1)
    for name, version in (("test", 2), ("other", 1)):
        with pytest.raises(BadModel, match="version"):
            unpack(data, name, version)


def test_every_changed_byte_is_noticed() -> None:
    data = pack("test", 1, {"a": np.arange(6.0), "b": np.arange(3, dtype=np.int16)}, {"level": 1.5})
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 0x41
        with pytest.raises(BadModel):
            unpack(bytes(broken), "test", 1)


def test_only_where_it_may_lack_a_number_may_be_unknown() -> None:
    data = pack("test", 1, {"a": np.array([1.0, np.nan])})
    with pytest.raises(BadModel, match="not numbers"):
        unpack(data, "test", 1)
    arrays, _facts = unpack(data, "test", 1, may_lack=True)
    assert np.isnan(arrays["a"][1])
