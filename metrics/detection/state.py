"""A detector's memory as bytes: named one-dimensional arrays, each checked as it is taken back."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerting.scoring.numerics import packing

NAME: Final = "detector"
VERSION: Final = 2
LARGEST: Final = 1 << 20
TYPES: Final[dict[str, np.dtype[Any]]] = {
    "f": np.dtype("<f4"),
    "d": np.dtype("<f8"),
    "q": np.dtype("<i8"),
    "h": np.dtype("<i2"),
    "b": np.dtype("u1"),
}
CODE_OF: Final = {dtype: code for code, dtype in TYPES.items()}

Arrays = Mapping[str, NDArray]


class StateError(packing.BadModel):
    """The bytes are no state this version can read."""


def pack(arrays: Arrays) -> bytes:
    """Write named arrays."""
    return packing.pack(NAME, VERSION, dict(arrays))


def unpack(blob: bytes) -> dict[str, NDArray]:
    """Read what `pack` wrote; whatever is cut, changed or of another version raises StateError."""
    if len(blob) > LARGEST:
        raise StateError("size")
    try:
        # What must be finite is only known where an array is taken.
        arrays, _facts = packing.unpack(blob, NAME, VERSION, may_lack=True)
    except packing.BadModel as problem:
        raise StateError(str(problem)) from problem
    return arrays


def take(arrays: Arrays, name: str, kind: str, *, least: int = 0, most: int | None = None) -> NDArray:
    """Return an array of a state after checking its type, its length and that its numbers are finite."""
    values = arrays.get(name)
    if values is None or values.ndim != 1 or values.dtype != TYPES[kind]:
        raise StateError(f"{name}: missing or of another type")
    if values.size < least or (most is not None and values.size > most):
        raise StateError(f"{name}: length {values.size}")
    if values.dtype.kind == "f" and not bool(np.isfinite(values).all()):
        raise StateError(f"{name}: not finite")
    return values
