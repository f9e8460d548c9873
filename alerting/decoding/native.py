"""Decodes our own format: one alert or an array of them.

The whole body is decoded at once into typed structs; only when something in it is unusual are the items taken one
by one, so that a faulty one does not cost its neighbours, and only the faulty ones are read field by field.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, UnsetType

from alerting import severity
from alerting.decoding import limits
from alerting.decoding.alert import Decoded, Flag, NativeAlert
from alerting.decoding.counting import strings_in
from alerting.decoding.items import (
    UNDECODABLE,
    Format,
    clean_texts,
    decode_array,
    decode_items,
    fast_alerts,
    fast_item,
    is_clean,
    refuse_oversize,
)
from alerting.decoding.reading import ItemReader, Time
from alerting.decoding.times import Window
from alerting.decoding.urls import is_link
from tenants import strict_json
from tenants.faults import InputRefused, shown

LabelValue = Annotated[str, Meta(max_length=limits.MAX_LABEL_VALUE)]
AnnotationValue = Annotated[str, Meta(max_length=limits.MAX_ANNOTATION_VALUE)]
Labels = Annotated[dict[str, LabelValue], Meta(min_length=1, max_length=limits.MAX_LABELS)]
Annotations = Annotated[dict[str, AnnotationValue], Meta(max_length=limits.MAX_ANNOTATIONS)]
Status = Literal["firing", "resolved"]
STATUSES = ("firing", "resolved")


class WireMetric(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The measurement an alert is about, as it is sent."""

    name: Annotated[str, Meta(min_length=1, max_length=limits.MAX_METRIC_NAME)]
    value: float


class WireAlert(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An alert as it is sent. What is left out differs from null, because left-out keys count no strings."""

    labels: Labels
    annotations: Annotations | UnsetType | None = UNSET
    severity: str | UnsetType | None = UNSET
    status: Status | UnsetType | None = UNSET
    starts_at: Time | UnsetType | None = UNSET
    ends_at: Time | UnsetType | None = UNSET
    generator_url: str | UnsetType | None = UNSET
    metric: WireMetric | UnsetType | None = UNSET


FIELDS = frozenset(WireAlert.__struct_fields__)
METRIC_FIELDS = frozenset(WireMetric.__struct_fields__)

_LEVELS = {word: int(level) for word, level in severity.SYNONYMS.items()}
_DEFAULT_LEVEL = int(severity.DEFAULT)


def _level(word: str | UnsetType | None, labels: dict[str, str]) -> tuple[int, int] | None:
    """Severity and flags: what the field says, else the label of that name, else the default."""
    if word:
        level = _LEVELS.get(word) or severity.parse(word)
        return None if level is None else (level, 0)
    return None if word == "" else level_of_labels(labels)


def level_of_labels(labels: dict[str, str]) -> tuple[int, int]:
    """Severity and flags as the label `severity` has them; what it does not say is the default."""
    label = labels.get("severity")
    if label is None:
        return _DEFAULT_LEVEL, 0
    level = _LEVELS.get(label) or severity.parse(label)
    return (_DEFAULT_LEVEL, Flag.SEVERITY_UNKNOWN) if level is None else (level, 0)


def believed_span(
    starts_at: datetime | None, ends_at: datetime | None, status: str, window: Window
) -> tuple[datetime | None, datetime | None, int] | None:
    """Both times as they are believed, with the flag for moving them; None when the end comes first."""
    if starts_at is not None and ends_at is not None and ends_at < starts_at:
        return None
    begun, over = window.believe(starts_at), window.believe(ends_at, is_promise=status == "firing")
    return begun, over, 0 if begun == starts_at and over == ends_at else Flag.TIME_CLAMPED.value


def _alert(wire: WireAlert, is_body_clean: bool, window: Window) -> NativeAlert | None:
    texts = clean_texts(wire.labels, wire.annotations or {}, is_body_clean)
    if texts is None:
        return None
    labels, annotations, flags = texts
    level = _level(wire.severity, labels)
    link = None if wire.generator_url is UNSET else wire.generator_url
    if level is None or (link is not None and not is_link(link)):
        return None
    status = wire.status or "firing"
    begun = over = None
    if wire.starts_at or wire.ends_at:
        span = believed_span(wire.starts_at or None, wire.ends_at or None, status, window)
        if span is None:
            return None
        begun, over, clamped = span
        flags |= clamped
    alert = NativeAlert(labels, annotations, level[0], status, begun, over, link, None, None, flags | level[1])
    if wire.metric:
        if not wire.metric.name.isprintable():
            return None
        alert.metric_name, alert.metric_value = wire.metric.name, wire.metric.value
    return alert


def _strings(wire: WireAlert) -> int:
    annotations, metric = wire.annotations, wire.metric
    count = 1 + 2 * len(wire.labels)
    for text in (wire.severity, wire.status, wire.starts_at, wire.ends_at, wire.generator_url):
        if text is not UNSET:
            count += 1 if text is None else 2
    if annotations is not UNSET:
        count += 1 + 2 * len(annotations or ())
    if metric is not UNSET:
        count += 1 if metric is None else 4
    return count


def _read(value: dict[str, Any], reader: ItemReader) -> NativeAlert:
    reader.refuse_others(value, FIELDS)
    labels: dict[str, str] = {}
    if "labels" in value:
        labels = reader.labels(value["labels"])
    else:
        reader.fault(("labels",), "required", _("labels is missing; give at least one label."))
    annotations = reader.annotations(value.get("annotations"))
    status = reader.choice("status", value.get("status") or "firing", STATUSES)
    starts_at, ends_at = reader.span(
        ("starts_at", reader.time("starts_at", value.get("starts_at"))),
        ("ends_at", reader.time("ends_at", value.get("ends_at"))),
        is_firing=status == "firing",
    )
    alert = NativeAlert(labels, annotations, _read_level(value.get("severity"), labels, reader), status)
    alert.starts_at, alert.ends_at = starts_at, ends_at
    alert.generator_url = reader.link("generator_url", value.get("generator_url"))
    alert.metric_name, alert.metric_value = _read_metric(value.get("metric"), reader)
    alert.flags = int(reader.flags)
    return alert


def _read_level(word: Any, labels: dict[str, str], reader: ItemReader) -> int:
    level = _level(word, labels) if word is None or isinstance(word, str) else None
    if level is None:
        message = _("severity must be one of: %(allowed)s (or a common synonym), not “%(word)s”.")
        allowed = ", ".join(severity.LABELS.values())
        reader.fault(("severity",), "unknown_value", message % {"allowed": allowed, "word": shown(str(word))})
        return _DEFAULT_LEVEL
    reader.flags |= Flag(level[1])
    return level[0]


def _read_metric(value: Any, reader: ItemReader) -> tuple[str | None, float | None]:
    if value is None:
        return None, None
    if not isinstance(value, dict) or not value.keys() >= METRIC_FIELDS:
        reader.fault(("metric",), "type", _("metric must be an object with a name and a value."))
        return None, None
    reader.refuse_others(value, METRIC_FIELDS, ("metric",))
    name = reader.text(("metric", "name"), value["name"], limits.MAX_METRIC_NAME)
    if name is not None and (not name or not name.isprintable()):
        reader.fault(("metric", "name"), "bad_name", _("metric.name must not be empty nor hold control characters."))
    return name, reader.number(("metric", "value"), value["value"])


NATIVE = Format(msgspec.json.Decoder(WireAlert), _alert, _strings, _read)
_MANY = msgspec.json.Decoder(list[WireAlert])


def decode_native(body: bytes, now: datetime) -> Decoded:
    """Decode a request body; raise InputRefused when it cannot be used at all."""
    refuse_oversize(body)
    window = Window.around(now)
    first = body[:256].lstrip()[:1]
    if first == b"{":
        alert = fast_item(NATIVE, body, window)
        if alert is not None:
            return Decoded([alert], [])
        strict_json.examine(body)
        return decode_items(NATIVE, [body], None, window)
    if first != b"[":
        strict_json.loads(body)
        raise InputRefused(400, "type", _("The body must be one alert (an object) or an array of alerts."))
    alerts = _fast(body, window)
    return Decoded(alerts, []) if alerts else decode_array(NATIVE, body, "", window)


def _fast(body: bytes, window: Window) -> list[NativeAlert] | None:
    try:
        wires = _MANY.decode(body)
        alerts = fast_alerts(NATIVE, wires, is_clean(body), window)
    except UNDECODABLE:
        return None
    return alerts if alerts and sum(map(_strings, wires)) == strings_in(body) else None
