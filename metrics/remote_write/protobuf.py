"""As much of protobuf's wire format as remote write needs; every length is checked against what is there.

WriteRequest { repeated TimeSeries timeseries = 1 }; TimeSeries { repeated Label labels = 1; repeated Sample
samples = 2 }; Label { string name = 1; string value = 2 }; Sample { double value = 1; int64 timestamp = 2 }.
Fields of other numbers (metadata, exemplars, histograms) are passed over.
"""

import struct
from collections.abc import Iterator
from typing import Final

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_DOUBLE: Final = struct.Struct("<d")
_MOST_VARINT_BYTES: Final = 10
_TWO_63, _TWO_64 = 1 << 63, 1 << 64

Field = tuple[int, int, int, int]


class Malformed(ValueError):
    """The bytes are no message of this kind."""


def fields(data: bytes, at: int, end: int) -> Iterator[Field]:
    """The fields of a message between two places: number, wire type, and where its content begins and ends."""
    while at < end:
        key, at = varint(data, at, end)
        number, kind = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise Malformed("field number")
        begin = at
        if kind == BYTES:
            size, begin = varint(data, at, end)
            at = begin + size
        elif kind == VARINT:
            _value, at = varint(data, at, end)
        elif kind in (FIXED64, FIXED32):
            at += 8 if kind == FIXED64 else 4
        else:
            raise Malformed("wire type")
        if at > end:
            raise Malformed("length")
        yield number, kind, begin, at


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """An unsigned number and where it ends."""
    value = shift = 0
    for place in range(at, min(end, at + _MOST_VARINT_BYTES)):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (_TWO_64 - 1), place + 1
        shift += 7
    raise Malformed("number")


def after(data: bytes, at: int, end: int) -> int:
    """Where a field of bytes ends whose length stands here."""
    if at < end and data[at] < 0x80:
        finish = at + 1 + data[at]
    else:
        size, at = varint(data, at, end)
        finish = at + size
    if finish > end:
        raise Malformed("length")
    return finish


def sample(data: bytes, at: int, end: int) -> tuple[int, float]:
    """A sample: milliseconds and value; what is not written is zero."""
    if end - at > 10 and data[at] == 0x09 and data[at + 9] == 0x10:
        ms, finish = varint(data, at + 10, end)
        if finish == end:
            return ms - (_TWO_64 if ms >= _TWO_63 else 0), _DOUBLE.unpack_from(data, at + 1)[0]
    value, ms = 0.0, 0
    for number, kind, begin, finish in fields(data, at, end):
        if number == 1 and kind == FIXED64:
            value = _DOUBLE.unpack_from(data, begin)[0]
        elif number == 2 and kind == VARINT:
            ms = varint(data, begin, finish)[0]
            ms -= _TWO_64 if ms >= _TWO_63 else 0
        elif number in (1, 2):
            raise Malformed("sample")
    return ms, value


def label(data: bytes, at: int, end: int) -> tuple[str, str]:
    """A label: name and value."""
    texts = {1: "", 2: ""}
    for number, kind, begin, finish in fields(data, at, end):
        if number in texts:
            if kind != BYTES:
                raise Malformed("label")
            try:
                texts[number] = data[begin:finish].decode("utf-8")
            except UnicodeDecodeError as error:
                raise Malformed("text") from error
    return texts[1], texts[2]
