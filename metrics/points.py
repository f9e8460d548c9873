"""What comes in: points of series as callers give them, and the parcel they travel in from the door to the worker."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_HASH_BYTES: Final = 16
# MessagePack writes lengths before texts, so no choice of names and values imitates another series.
_encode_identity: Final = msgspec.msgpack.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class SeriesPoints:
    """Points of one series: `at` in seconds since 1970, `values` as measured, both of the same length."""

    metric: str
    labels: Mapping[str, str]
    unit: str
    kind: str
    at: Floats
    values: Floats


class About(msgspec.Struct, array_like=True, frozen=True):
    """What a series is called; needed only when it is seen for the first time. Stored: append fields only."""

    metric: str
    labels: dict[str, str]
    kind: str


class Parcel(msgspec.Struct, array_like=True):
    """The points of one request: one entry of `hashes`, `lengths`, `units` and `about` per series, samples flat.

    Stored while it waits, so the order of the fields is part of the format: append only.
    """

    hashes: bytes
    lengths: bytes
    ms: bytes
    values: bytes
    units: list[str]
    about: list[msgspec.Raw]

    @property
    def samples(self) -> int:
        """How many samples the parcel holds."""
        return len(self.ms) // 8


_about_encoder: Final = msgspec.msgpack.Encoder()
_about_decoder: Final = msgspec.msgpack.Decoder(About)
_parcel_decoder: Final = msgspec.msgpack.Decoder(Parcel)


def series_hash(metric: str, labels: Mapping[str, str]) -> bytes:
    """The identity of a series within its tenant; an empty label is a missing one."""
    labels = {name: text for name, text in labels.items() if text}
    return blake2b(_encode_identity((metric, labels)), digest_size=_HASH_BYTES).digest()


def encode_about(metric: str, labels: Mapping[str, str], kind: str) -> bytes:
    """What a series is called, as it stands in a parcel."""
    return _about_encoder.encode(About(metric, {name: text for name, text in labels.items() if text}, kind))


def decode_about(raw: msgspec.Raw) -> About:
    """What a series is called."""
    return _about_decoder.decode(raw)


def to_milliseconds(at: Floats) -> Integers:
    """Times as whole milliseconds, the resolution samples are told apart by; what is no time becomes 0."""
    scaled = np.where(np.isfinite(at) & (np.abs(at) < 1e14), at, 0.0) * 1000.0
    return np.rint(scaled).astype(np.int64)


def pack(batch: Iterable[SeriesPoints]) -> Parcel:
    """Put points into a parcel."""
    points = list(batch)
    return Parcel(
        b"".join([series_hash(one.metric, one.labels) for one in points]),
        np.array([len(one.at) for one in points], dtype=np.int32).tobytes(),
        to_milliseconds(_joined([one.at for one in points])).tobytes(),
        _joined([one.values for one in points]).tobytes(),
        [one.unit for one in points],
        [msgspec.Raw(encode_about(one.metric, one.labels, one.kind)) for one in points],
    )


def encode_parcel(parcel: Parcel) -> bytes:
    """The bytes of a parcel while it waits."""
    return _about_encoder.encode(parcel)


def decode_parcel(body: bytes | memoryview) -> Parcel:
    """The parcel of a waiting row."""
    return _parcel_decoder.decode(body)


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts]) if parts else np.empty(0)
