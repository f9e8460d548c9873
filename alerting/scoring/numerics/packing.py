"""Arrays as bytes and back: how models and detectors are stored. Nothing in them is code, so reading is harmless."""

import struct
import zlib
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

_KINDS: Final = frozenset({"<f4", "<f8", "<i2", "<i4", "<i8", "<u2", "<u4", "|u1"})
# What marks these bytes as ours, and the checksum of all that follows.
_MARK: Final = b"\xa7ARR"
_HEAD: Final = struct.Struct("<4sI")
Array = NDArray[Any]


class BadModel(ValueError):
    """These bytes are no model of this kind and version."""


class _Stored(msgspec.Struct, array_like=True):
    kind: str
    shape: tuple[int, ...]
    data: bytes


class _Pack(msgspec.Struct, array_like=True):
    name: str
    version: int
    arrays: dict[str, _Stored]
    facts: dict[str, Any]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Pack).decode


def pack(name: str, version: int, arrays: dict[str, Array], facts: dict[str, Any] | None = None) -> bytes:
    """Return named arrays and plain facts as bytes (MessagePack under a checksum, little-endian arrays)."""
    stored = {}
    for key, array in arrays.items():
        plain = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        stored[key] = _Stored(plain.dtype.str, plain.shape, plain.tobytes())
    body = _encode(_Pack(name, version, stored, facts or {}))
    return _HEAD.pack(_MARK, zlib.crc32(body)) + body


def unpack(data: bytes, name: str, version: int, *, may_lack: bool = False) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read what `pack` wrote; raises BadModel for anything cut or changed, another name or another version.

    Numbers in arrays are finite, unless they `may_lack`: NaN for what is not known.
    """
    body = memoryview(data)[_HEAD.size :]
    if data[: _HEAD.size] != _HEAD.pack(_MARK, zlib.crc32(body)):
        raise BadModel("These bytes are not a stored model, or not all of it, or it was changed.")
    try:
        read = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadModel("These bytes are not a stored model.") from error
    if (read.name, read.version) != (name, version):
        raise BadModel(f"This is a model {read.name!r} of version {read.version}; wanted {name!r}, version {version}.")
    return {key: _array(key, one, may_lack) for key, one in read.arrays.items()}, dict(read.facts)


def _array(key: str, stored: _Stored, may_lack: bool) -> Array:
    if stored.kind not in _KINDS:
        raise BadModel(f"The array {key!r} is of a kind models do not use.")
    dtype = np.dtype(stored.kind)
    count = 1
    for length in stored.shape:
        if length < 0:
            raise BadModel(f"The array {key!r} has an impossible shape.")
        count *= length
    if count * dtype.itemsize != len(stored.data):
        raise BadModel(f"The array {key!r} does not have the length its shape asks for.")
    array = np.frombuffer(stored.data, dtype).reshape(stored.shape).copy()
    if dtype.kind == "f" and not may_lack and not np.isfinite(array).all():
        raise BadModel(f"The array {key!r} has values that are not numbers.")
    return array
