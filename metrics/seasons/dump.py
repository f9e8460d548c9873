"""State as bytes: a magic word, a version, plain numbers as JSON and arrays as they lie in memory. Never a pickle."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

HEAD = struct.Struct("<4sHI")
DTYPES: dict[str, np.dtype[Any]] = {"f4": np.dtype("<f4"), "f8": np.dtype("<f8"), "i8": np.dtype("<i8")}
MOST_BYTES = 1 << 24


class BadDump(ValueError):
    """The bytes are not a state that this version can read."""


def pack(magic: bytes, version: int, numbers: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Write a state. `magic` is four bytes; arrays are float32, float64 or int64 and come back as such."""
    shapes = {name: (array.dtype.str[1:], list(array.shape)) for name, array in arrays.items()}
    head = json.dumps({"numbers": dict(numbers), "arrays": shapes}, separators=(",", ":")).encode()
    body = b"".join(np.ascontiguousarray(array, DTYPES[shapes[name][0]]).tobytes() for name, array in arrays.items())
    return HEAD.pack(magic, version, len(head)) + head + body


def unpack(data: bytes, magic: bytes, version: int) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read what `pack` wrote. Raises BadDump for anything else, and for another version."""
    if len(data) < HEAD.size or len(data) > MOST_BYTES:
        raise BadDump(f"{len(data)} bytes are no state")
    found, number, length = HEAD.unpack_from(data)
    if found != magic or number != version:
        raise BadDump(f"{found!r} version {number}, expected {magic!r} version {version}")
    try:
        head = json.loads(data[HEAD.size : HEAD.size + length])
        arrays, place = {}, HEAD.size + length
        for name, (kind, shape) in head["arrays"].items():
            count = int(np.prod([int(side) for side in shape], dtype=np.int64))
            if count < 0 or place + count * DTYPES[kind].itemsize > len(data):
                raise BadDump("the state is cut short")
            arrays[name] = np.frombuffer(data, DTYPES[kind], count, place).reshape(shape).copy()
            place += count * DTYPES[kind].itemsize
        numbers = head["numbers"]
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadDump("the head of the state cannot be read") from error
    if place != len(data):
        raise BadDump("there is more than the state")
    return numbers, arrays
