"""Decodes the webhook payload of Alertmanager (version 4)."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.utils.translation import gettext as _
from msgspec import UNSET, UnsetType

from alerting.decoding import native
from alerting.decoding.alert import Decoded, Flag, NativeAlert
from alerting.decoding.counting import strings_in
from alerting.decoding.items import (
    UNDECODABLE,
    Format,
    clean_texts,
    decode_array,
    decode_values,
    fast_alerts,
    is_clean,
    refuse_oversize,
)
from alerting.decoding.reading import ItemReader, Time
from alerting.decoding.times import Window
from alerting.decoding.urls import is_link
from tenants import strict_json
from tenants.faults import InputRefused, ItemError

VERSION = "4"

# Alertmanager repeats an alert with its first start for as long as it fires, which may be weeks.
_BACK = timedelta(days=366)


class WireAlert(msgspec.Struct, rename="camel", gc=False):
    """An alert inside the payload; what else stands there is passed over."""

    labels: native.Labels
    status: native.Status | UnsetType = UNSET
    annotations: native.Annotations | UnsetType = UNSET
    starts_at: Time | UnsetType = UNSET
    ends_at: Time | UnsetType = UNSET
    generator_url: str | UnsetType = msgspec.field(default=UNSET, name="generatorURL")
    fingerprint: str | UnsetType = UNSET


class Payload(msgspec.Struct, rename="camel"):
    """The envelope. What the service does not use is typed too, so that its strings can be counted."""

    alerts: list[WireAlert]
    version: str | UnsetType = UNSET
    group_key: str | UnsetType = UNSET
    truncated_alerts: int | UnsetType = UNSET
    status: str | UnsetType = UNSET
    receiver: str | UnsetType = UNSET
    group_labels: dict[str, str] | UnsetType = UNSET
    common_labels: dict[str, str] | UnsetType = UNSET
    common_annotations: dict[str, str] | UnsetType = UNSET
    external_url: str | UnsetType = msgspec.field(default=UNSET, name="externalURL")


def _none_in_year_one(at: datetime | None) -> datetime | None:
    """Go's zero time says that there is none."""
    return None if at is None or at.year == 1 else at


def _alert(wire: WireAlert, is_body_clean: bool, window: Window) -> NativeAlert | None:
    texts = clean_texts(wire.labels, wire.annotations or {}, is_body_clean)
    if texts is None:
        return None
    labels, annotations, flags = texts
    status = wire.status or "firing"
    starts_at, ends_at = _none_in_year_one(wire.starts_at or None), _none_in_year_one(wire.ends_at or None)
    span = native.believed_span(starts_at, ends_at, status, window)
    if span is None:
        return None
    begun, over, clamped = span
    link, link_flag = _link(wire.generator_url or None)
    level, level_flag = native.level_of_labels(labels)
    flags |= clamped | link_flag | level_flag
    return NativeAlert(labels, annotations, level, status, begun, over, link, None, None, flags)


def _link(url: str | None) -> tuple[str | None, int]:
    """A link that cannot be followed is left out: it is no reason to lose an alert of a foreign sender."""
    if not url:
        return None, 0
    return (url, 0) if is_link(url) else (None, Flag.URL_DROPPED)


def _strings(wire: WireAlert) -> int:
    count = 1 + 2 * len(wire.labels)
    for text in (wire.status, wire.starts_at, wire.ends_at, wire.generator_url, wire.fingerprint):
        if text is not UNSET:
            count += 2
    if wire.annotations is not UNSET:
        count += 1 + 2 * len(wire.annotations)
    return count


def _strings_of_envelope(payload: Payload) -> int:
    count = 1
    for text in (payload.version, payload.group_key, payload.status, payload.receiver, payload.external_url):
        if text is not UNSET:
            count += 2
    for texts in (payload.group_labels, payload.common_labels, payload.common_annotations):
        if texts is not UNSET:
            count += 1 + 2 * len(texts)
    return count if payload.truncated_alerts is UNSET else count + 1


def _read(value: dict[str, Any], reader: ItemReader) -> NativeAlert:
    labels = reader.labels(value.get("labels", {}))
    annotations = reader.annotations(value.get("annotations"))
    status = reader.choice("status", value.get("status") or "firing", native.STATUSES)
    starts_at, ends_at = reader.span(
        ("startsAt", _none_in_year_one(reader.time("startsAt", value.get("startsAt")))),
        ("endsAt", _none_in_year_one(reader.time("endsAt", value.get("endsAt")))),
        is_firing=status == "firing",
    )
    url = value.get("generatorURL")
    link, link_flag = _link(url if isinstance(url, str) else None)
    level, level_flag = native.level_of_labels(labels)
    flags = int(reader.flags) | link_flag | level_flag
    return NativeAlert(labels, annotations, level, status, starts_at, ends_at, link, None, None, flags)


ALERTMANAGER = Format(msgspec.json.Decoder(WireAlert), _alert, _strings, _read)
_PAYLOAD = msgspec.json.Decoder(Payload)
_ENVELOPE = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_alertmanager(body: bytes, now: datetime) -> Decoded:
    """Decode a webhook body; raise InputRefused when it cannot be used at all."""
    refuse_oversize(body)
    window = Window.around(now, back=_BACK)
    alerts = _fast(body, window)
    if alerts:
        return Decoded(alerts, [])
    strict_json.text_of(body)
    try:
        envelope = {name: bytes(raw) for name, raw in _ENVELOPE.decode(body).items()}
    except UNDECODABLE:
        return _decode_examined(body, window)
    if len(envelope) + sum(map(strings_in, envelope.values())) != strings_in(body):
        strict_json.loads(body)
    _check_envelope(envelope.get("version", b"null") == b'"4"', envelope.get("alerts", b"").startswith(b"["))
    return decode_array(ALERTMANAGER, envelope["alerts"], "/alerts", window)


def _fast(body: bytes, window: Window) -> list[NativeAlert] | None:
    try:
        payload = _PAYLOAD.decode(body)
        alerts = fast_alerts(ALERTMANAGER, payload.alerts, is_clean(body), window)
    except UNDECODABLE:
        return None
    if not alerts or payload.version != VERSION:
        return None
    strings = _strings_of_envelope(payload) + sum(map(_strings, payload.alerts))
    return alerts if strings == strings_in(body) else None


def _decode_examined(body: bytes, window: Window) -> Decoded:
    """Decode what the typed reader of the envelope does not take."""
    envelope, faults = strict_json.examine(body)
    if not isinstance(envelope, dict):
        raise InputRefused(400, "type", _("The body must be an object, as Alertmanager's webhook sends it."))
    if outside := [fault for fault in faults if not fault.pointer.startswith("/alerts/")]:
        raise InputRefused(400, outside[0].code, outside[0].message, outside)
    alerts = envelope.get("alerts")
    _check_envelope(envelope.get("version") == VERSION, isinstance(alerts, list))
    return decode_values(ALERTMANAGER, envelope["alerts"], faults, "/alerts", window)


def _check_envelope(is_version_known: bool, are_alerts_there: bool) -> None:
    if not is_version_known:
        message = _("version must be “%(version)s”; send Alertmanager's webhook payload.") % {"version": VERSION}
        raise InputRefused(400, "unknown_value", message, [ItemError(None, "/version", "unknown_value", message)])
    if not are_alerts_there:
        message = _("alerts must be an array of alerts.")
        raise InputRefused(400, "required", message, [ItemError(None, "/alerts", "required", message)])
