"""Reads the body of a push in JSON: fast as a whole, and series by series where something is wrong."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final, Literal

import msgspec
import numpy as np
from django.utils.translation import gettext as _

from alerting.decoding.counting import strings_in
from metrics.decoding import limits
from metrics.decoding.naming import METRIC_PATTERN, Named, Remembered, is_metric, named
from metrics.points import Parcel, to_milliseconds
from tenants import strict_json
from tenants.faults import InputRefused, ItemError, pointer_to

Kind = Literal["gauge", "counter"]


class WireSeries(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One series of a push; labels stay bytes until somebody has to look."""

    metric: str
    samples: list[tuple[float, float]]
    labels: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    unit: str | msgspec.UnsetType = msgspec.UNSET
    kind: Kind | msgspec.UnsetType = msgspec.UNSET


class WirePush(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a push."""

    series: list[WireSeries]


class RawPush(msgspec.Struct, forbid_unknown_fields=True):
    """The same, each series left as it came."""

    series: list[msgspec.Raw]


class Decoded(msgspec.Struct):
    """The good series as a parcel, the faults of the others, and how many others there were."""

    parcel: Parcel
    faults: list[ItemError]
    rejected: int


_UNDECODABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
_whole: Final = msgspec.json.Decoder(WirePush)
_parts: Final = msgspec.json.Decoder(RawPush)
_labels: Final = msgspec.json.Decoder(dict[str, str])
_remembered: Final = Remembered()
_Row = tuple[Named, str, Sequence[tuple[float, float]]]
_FIELDS: Final = ("metric", "labels", "unit", "kind", "samples")


def decode_push(body: bytes) -> Decoded:
    """Read a push; raises InputRefused for a body that is no push at all."""
    if len(body) > limits.MAX_BODY_BYTES:
        raise InputRefused(413, "too_large", _("The body is too large; send several requests."))
    # A body that nests too deep is none of the typed kind, and is refused on the slow way.
    rows = _fast(body)
    if rows is not None:
        _check_counts(len(rows), sum(len(row[2]) for row in rows))
        return Decoded(_parcel(rows), [], 0)
    return _slow(body)


def _fast(body: bytes) -> list[_Row] | None:
    """All series, or None when one of them is not plainly good or a key was repeated."""
    try:
        wires = _whole.decode(body).series
    except _UNDECODABLE:
        return None
    strings = 1
    rows: list[_Row] = []
    for wire in wires:
        raw = b"{}" if wire.labels is msgspec.UNSET else bytes(wire.labels)
        kind, unit = wire.kind or "gauge", wire.unit or ""
        found = _remembered.find(kind, wire.metric, raw, lambda w=wire, r=raw, k=kind: _named(w.metric, r, k))  # type: ignore[misc]
        if found is None or len(unit) > limits.MAX_UNIT or not unit.isprintable() or not wire.samples:
            return None
        # The strings of a series: metric, its name and samples; then what is there of the optional members.
        strings += 3 + 2 * found.labels
        if wire.labels is not msgspec.UNSET:
            strings += 1
        if wire.unit is not msgspec.UNSET:
            strings += 2
        if wire.kind is not msgspec.UNSET:
            strings += 2
        rows.append((found, unit, wire.samples))
    return rows if rows and strings == strings_in(body) else None


def _named(metric: str, raw: bytes, kind: str) -> Named | None:
    try:
        labels = _labels.decode(raw)
    except _UNDECODABLE:
        return None
    return named(metric, labels, kind) if strings_in(raw) == 2 * len(labels) else None


def _parcel(rows: Sequence[_Row]) -> Parcel:
    """Rows as a parcel; times that are no times become 0 and are put aside as too old later."""
    lengths = np.array([len(row[2]) for row in rows], dtype=np.int32)
    flat = np.fromiter(
        chain.from_iterable(chain.from_iterable(row[2] for row in rows)), dtype=np.float64, count=2 * int(lengths.sum())
    ).reshape(-1, 2)
    return Parcel(
        b"".join([row[0].label_hash for row in rows]),
        lengths.tobytes(),
        to_milliseconds(flat[:, 0]).tobytes(),
        np.ascontiguousarray(flat[:, 1]).tobytes(),
        [row[1] for row in rows],
        [msgspec.Raw(row[0].about) for row in rows],
    )


def _check_counts(series: int, samples: int) -> None:
    for count, limit, message in (
        (series, limits.MAX_SERIES, _("The body has %(count)d series; the limit is %(limit)d. Send several requests.")),
        (
            samples,
            limits.MAX_SAMPLES,
            _("The body has %(count)d samples; the limit is %(limit)d. Send several requests."),
        ),
    ):
        if count > limit:
            raise InputRefused(413, "too_many", message % {"count": count, "limit": limit})


def _slow(body: bytes) -> Decoded:
    value, faults = strict_json.examine(body)
    if not isinstance(value, dict) or not isinstance(value.get("series"), list):
        message = _("The body must be an object with the member “series”, an array.")
        raise InputRefused(400, "type", message, [ItemError(None, "/series", "type", message)])
    for name in value.keys() - {"series"}:
        faults.append(ItemError(None, pointer_to("", name), "unknown_field", _("There is no such field here.")))
    loose = [fault for fault in faults if not fault.pointer.startswith("/series/")]
    if loose:
        raise InputRefused(400, loose[0].code, loose[0].message, loose[: limits.MAX_FAULTS])
    items = value["series"]
    if not items:
        raise InputRefused(400, "empty", _("There is no series in the body; send at least one."))
    _check_counts(len(items), 0)
    broken: dict[int, list[ItemError]] = {}
    for fault in faults:
        index = int(fault.pointer.split("/")[2])
        broken.setdefault(index, []).append(msgspec.structs.replace(fault, index=index))
    rows = [row for index, item in enumerate(items) if (row := _read(index, item, broken)) is not None]
    _check_counts(len(rows), sum(len(row[2]) for row in rows))
    found = [fault for faults_of in broken.values() for fault in faults_of]
    return Decoded(_parcel(rows), found[: limits.MAX_FAULTS], len(broken))


def _read(index: int, item: Any, broken: dict[int, list[ItemError]]) -> _Row | None:
    """One series, or None after its faults were noted."""
    if index in broken:
        return None
    where = pointer_to("", "series", index)
    faults: list[ItemError] = []

    def fault(message: str, *steps: str | int, code: str = "invalid") -> None:
        faults.append(ItemError(index, pointer_to(where, *steps), code, message))

    if not isinstance(item, dict):
        fault(_("A series must be an object."), code="type")
    else:
        for name in item.keys() - set(_FIELDS):
            fault(_("There is no such field here."), name, code="unknown_field")
        _check_names(item, fault)
        _check_samples(item.get("samples"), fault)
    if not faults:
        kind = item.get("kind", "gauge")
        found = named(item["metric"], item.get("labels", {}), kind)
        if found is not None:
            return found, item.get("unit", ""), [(float(at), float(value)) for at, value in item["samples"]]
        fault(_("The name or the labels of this series are not allowed."))
    broken[index] = faults
    return None


def _check_names(item: dict[str, Any], fault: Any) -> None:
    metric, labels = item.get("metric"), item.get("labels", {})
    if not isinstance(metric, str) or not is_metric(metric):
        values = {"pattern": METRIC_PATTERN, "limit": limits.MAX_METRIC}
        fault(_("metric must match %(pattern)s and have at most %(limit)d signs.") % values, "metric")
    if not isinstance(labels, dict) or len(labels) > limits.MAX_LABELS:
        fault(_("labels must be an object of at most %(limit)d texts.") % {"limit": limits.MAX_LABELS}, "labels")
    else:
        for name, text in labels.items():
            if not isinstance(text, str) or named("m", {name: text}, "gauge") is None:
                message = _("A label needs a plain name and a text of at most %(limit)d signs.")
                fault(message % {"limit": limits.MAX_LABEL_VALUE}, "labels", name)
    unit = item.get("unit", "")
    if not isinstance(unit, str) or len(unit) > limits.MAX_UNIT or not unit.isprintable():
        fault(_("unit must be a text of at most %(limit)d signs.") % {"limit": limits.MAX_UNIT}, "unit")
    if item.get("kind", "gauge") not in ("gauge", "counter"):
        fault(_("kind must be gauge or counter."), "kind", code="unknown_value")


def _check_samples(samples: Any, fault: Any) -> None:
    if not isinstance(samples, list) or not samples:
        fault(_("samples must be an array of [seconds since 1970, value], with at least one."), "samples")
        return
    for place, sample in enumerate(samples):
        if not isinstance(sample, list) or len(sample) != 2 or not all(map(_is_number, sample)):
            fault(_("A sample must be [seconds since 1970, value], two finite numbers."), "samples", place)
            return


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
