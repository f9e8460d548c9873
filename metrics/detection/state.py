"""The binary form of a detector's memory: named plain arrays under a checksum, so that nothing in it can run."""

import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"DET"
VERSION = 1
LARGEST = 1 << 20
HEADER = struct.Struct("<3sBIH")
ENTRY = struct.Struct("<B1sI")
CODES: dict[bytes, np.dtype[Any]] = {
    b"f": np.dtype("<f4"),
    b"d": np.dtype("<f8"),
    b"q": np.dtype("<i8"),
    b"h": np.dtype("<i2"),
    b"b": np.dtype("u1"),
}
CODE_OF = {dtype: code for code, dtype in CODES.items()}

Arrays = Mapping[str, NDArray]


class StateError(ValueError):
    """The bytes are no state this version can read."""


def pack(arrays: Arrays) -> bytes:
    """Write named one-dimensional arrays; the checksum covers all that follows the header."""
    body = bytearray()
    for name, values in arrays.items():
        label = name.encode("ascii")
        body += ENTRY.pack(len(label), CODE_OF[values.dtype], values.size) + label + values.tobytes()
    return HEADER.pack(MAGIC, VERSION, zlib.crc32(body), len(arrays)) + bytes(body)


def unpack(blob: bytes) -> dict[str, NDArray]:
    """Read what `pack` wrote; whatever is cut, changed or of another version raises StateError."""
    if not HEADER.size <= len(blob) <= LARGEST:
        raise StateError("size")
    magic, version, checksum, count = HEADER.unpack_from(blob)
    if magic != MAGIC or version != VERSION:
        raise StateError("version")
    if zlib.crc32(memoryview(blob)[HEADER.size :]) != checksum:
        raise StateError("checksum")
    arrays: dict[str, NDArray] = {}
    place = HEADER.size
    try:
        for _ in range(count):
            length, code, size = ENTRY.unpack_from(blob, place)
            place += ENTRY.size
            name = blob[place : place + length].decode("ascii")
            place += length
            dtype = CODES[code]
            arrays[name] = np.frombuffer(blob, dtype, count=size, offset=place)
            place += size * dtype.itemsize
    except (struct.error, KeyError, ValueError, UnicodeDecodeError) as problem:
        raise StateError("layout") from problem
    if place != len(blob):
        raise StateError("trailing bytes")
    return arrays


def take(arrays: Arrays, name: str, kind: str, *, least: int = 0, most: int | None = None) -> NDArray:
    """Return an array of a state after checking its type, its length and that its numbers are finite."""
    values = arrays.get(name)
    if values is None or CODE_OF[values.dtype] != kind.encode("ascii"):
        raise StateError(f"{name}: missing or of another type")
    if values.size < least or (most is not None and values.size > most):
        raise StateError(f"{name}: length {values.size}")
    if values.dtype.kind == "f" and not bool(np.isfinite(values).all()):
        raise StateError(f"{name}: not finite")
    return values
