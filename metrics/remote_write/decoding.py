"""Turns the body of a remote write into a parcel: decompressed within bounds, series known by their labels' bytes."""

from dataclasses import replace
from typing import Final

import cramjam
import msgspec
import numpy as np
from django.utils.translation import gettext as _

from metrics.decoding import limits
from metrics.decoding.naming import Named, Remembered, named
from metrics.decoding.push import Decoded
from metrics.points import Parcel
from metrics.remote_write import protobuf
from metrics.remote_write.protobuf import BYTES, Malformed
from tenants.faults import InputRefused, ItemError, pointer_to

#: A body may unpack to this and no more; Prometheus sends 2,000 samples, some hundred kilobytes.
MAX_UNPACKED: Final = 8_388_608
# A time further from 1970 than this is no time, and would not fit what it is reckoned with.
_FARTHEST_MS: Final = 1 << 52
_LABEL, _SAMPLE = 0x0A, 0x12
_UNITS: Final = {"seconds": "s", "bytes": "bytes", "ratio": "ratio", "percent": "%"}
_remembered: Final = Remembered()


def decode_write(body: bytes) -> Decoded:
    """Read a remote write; raises InputRefused for what is none."""
    data = _unpack(body)
    try:
        return _read(data)
    except Malformed as error:
        message = _("The body is no write request of Prometheus's remote write 1.0 (%(what)s).") % {"what": error}
        raise InputRefused(400, "invalid", message) from error


def _unpack(body: bytes) -> bytes:
    try:
        size = cramjam.snappy.decompress_raw_len(body)
        if size > MAX_UNPACKED:
            message = _("The body unpacks to %(count)d bytes; the limit is %(limit)d. Send fewer samples a request.")
            raise InputRefused(413, "too_large", message % {"count": size, "limit": MAX_UNPACKED})
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise InputRefused(400, "invalid", _("The body is not compressed with snappy (block format).")) from error


def _read(data: bytes) -> Decoded:
    found: list[Named] = []
    lengths: list[int] = []
    samples: list[tuple[int, float]] = []
    faults: list[ItemError] = []
    index = rejected = 0
    for number, kind, begin, end in protobuf.fields(data, 0, len(data)):
        if number != 1:
            continue
        if kind != BYTES:
            raise Malformed("series")
        before = len(samples)
        series = _series(data, begin, end, samples)
        if len(samples) == before:
            pass  # a series without samples, as those of histograms are to us
        elif series is None:
            del samples[before:]
            rejected += 1
            faults.append(_fault(index))
        else:
            found.append(series)
            lengths.append(len(samples) - before)
        index += 1
        if index > limits.MAX_SERIES or len(samples) > limits.MAX_SAMPLES:
            raise InputRefused(413, "too_many", _("The request holds too many samples; send fewer a request."))
    parcel = Parcel(
        b"".join([series.label_hash for series in found]),
        np.array(lengths, dtype=np.int32).tobytes(),
        np.array([ms for ms, _value in samples], dtype=np.int64).tobytes(),
        np.array([value for _ms, value in samples], dtype=np.float64).tobytes(),
        [series.unit for series in found],
        [msgspec.Raw(series.about) for series in found],
    )
    return Decoded(parcel, faults[: limits.MAX_FAULTS], rejected)


def _series(data: bytes, begin: int, end: int, samples: list[tuple[int, float]]) -> Named | None:
    """The series of one message (None: its labels are not allowed); its samples are added to the list.

    Whoever sends writes labels before samples, so the bytes up to the first sample name the series.
    """
    at = begin
    while at < end and data[at] == _LABEL:
        at = protobuf.after(data, at + 1, end)
    raw = data[begin:at]
    while at < end and data[at] == _SAMPLE:
        size, first = protobuf.varint(data, at + 1, end)
        at = first + size
        if at > end:
            raise Malformed("length")
        samples.append(_believable(protobuf.sample(data, first, at)))
    for number, kind, first, last in protobuf.fields(data, at, end):
        if number == 1:
            raise Malformed("labels after samples")
        if number == 2:
            if kind != BYTES:
                raise Malformed("sample")
            samples.append(_believable(protobuf.sample(data, first, last)))
    return _remembered.find("", "", raw, lambda: _named(raw))


def _believable(sample: tuple[int, float]) -> tuple[int, float]:
    return sample if abs(sample[0]) < _FARTHEST_MS else (0, sample[1])


def _named(raw: bytes) -> Named | None:
    pairs = [protobuf.label(raw, begin, end) for _number, _kind, begin, end in protobuf.fields(raw, 0, len(raw))]
    labels = dict(pairs)
    if len(labels) < len(pairs):
        return None
    metric = labels.pop("__name__", "")
    kind = "counter" if metric.endswith(("_total", "_bucket")) else "gauge"
    found = named(metric, labels, kind)
    return found and replace(found, unit=_UNITS.get(metric.removesuffix("_total").rpartition("_")[2], ""))


def _fault(index: int) -> ItemError:
    message = _(
        "The labels of this series are not allowed: it needs __name__, plain names and texts of bounded length."
    )
    return ItemError(index, pointer_to("", "timeseries", index), "invalid", message)
