"""What the formats share: the fast way for a whole body, and the way item by item when something is unusual."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from django.utils.translation import gettext as _

from alerting.decoding import limits
from alerting.decoding.alert import Decoded, Flag, NativeAlert
from alerting.decoding.cleaning import clean_annotations, clean_labels
from alerting.decoding.counting import strings_in
from alerting.decoding.names import are_names
from alerting.decoding.reading import ItemReader
from alerting.decoding.times import Window
from tenants import strict_json
from tenants.faults import InputRefused, ItemError, pointer_to

Wire = TypeVar("Wire", bound=msgspec.Struct)

_RAW_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])

#: What the typed decoders raise on a body they cannot use.
UNDECODABLE = (msgspec.MsgspecError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class Format(Generic[Wire]):
    """How one format is read. `alert` returns None for whatever is not plainly good; then `read` decides."""

    one: msgspec.json.Decoder[Wire]
    alert: Callable[[Wire, bool, Window], NativeAlert | None]
    strings: Callable[[Wire], int]
    read: Callable[[dict[str, Any], ItemReader], NativeAlert]


def refuse_oversize(body: bytes) -> None:
    """Refuse a body above the limit; the door has done so before reading, other callers rely on it here."""
    if len(body) > limits.MAX_BODY_BYTES:
        message = _("The body has %(count)d bytes; the limit is %(limit)d. Send several requests.")
        raise InputRefused(413, "too_large", message % {"count": len(body), "limit": limits.MAX_BODY_BYTES})


def is_clean(body: bytes) -> bool:
    """Say whether no text in this body can hold anything but printable ASCII."""
    return body.isascii() and b"\\" not in body and b"\x7f" not in body


def fast_alerts(
    form: Format[Wire], wires: Sequence[Wire], is_body_clean: bool, window: Window
) -> list[NativeAlert] | None:
    """All of these as alerts, or None when one of them is not plainly good."""
    if len(wires) > limits.MAX_ALERTS:
        return None
    alerts = [alert for wire in wires if (alert := form.alert(wire, is_body_clean, window)) is not None]
    return alerts if len(alerts) == len(wires) else None


def decode_array(form: Format[Wire], body: bytes, prefix: str, window: Window) -> Decoded:
    """Decode the items of a JSON array, which `prefix` points to, one by one."""
    strict_json.text_of(body)
    try:
        items = _RAW_ITEMS.decode(body)
    except UNDECODABLE:
        values, faults = strict_json.examine(body, prefix)
        return decode_values(form, values, faults, prefix, window)
    check_count(len(items))
    return decode_items(form, items, prefix, window)


def check_count(count: int) -> None:
    """Refuse a request without alerts or with too many."""
    if not count:
        raise InputRefused(400, "empty", _("There is no alert in the body; send at least one."))
    if count > limits.MAX_ALERTS:
        message = _("The body has %(count)d alerts; the limit is %(limit)d. Send several requests.")
        raise InputRefused(413, "too_many", message % {"count": count, "limit": limits.MAX_ALERTS})


def decode_values(
    form: Format[Wire], values: list[Any], faults: list[ItemError], prefix: str, window: Window
) -> Decoded:
    """Decode items out of a document that only the forgiving reader takes: half surrogates, NaN and the like."""
    check_count(len(values))
    by_item: dict[int, list[ItemError]] = {}
    for fault in faults:
        index = int(fault.pointer[len(prefix) :].split("/")[1])
        by_item.setdefault(index, []).append(msgspec.structs.replace(fault, index=index))
    decoded = Decoded([], [], {})
    for index, value in enumerate(values):
        reader = ItemReader(index, pointer_to(prefix, index), window)
        reader.faults.extend(by_item.get(index, [])[: limits.MAX_FAULTS_OF_ITEM])
        alert = _read_value(form, value, reader)
        if reader.faults:
            decoded.rejected.extend(reader.faults)
            decoded.raw[index] = strict_json.dumps(value)
        else:
            decoded.alerts.append(alert)
    return decoded


def decode_items(
    form: Format[Wire], items: Sequence[msgspec.Raw | bytes], prefix: str | None, window: Window
) -> Decoded:
    """Decode items one by one; `prefix` points to their array, None says that the body is the one item."""
    decoded = Decoded([], [], {})
    for index, raw in enumerate(items):
        body = bytes(raw)
        alert = fast_item(form, body, window)
        if alert is None:
            pointer = "" if prefix is None else pointer_to(prefix, index)
            alert, reader = _read_item(form, body, ItemReader(index, pointer, window))
            if reader.faults:
                decoded.rejected.extend(reader.faults)
                decoded.raw[index] = body
                continue
        decoded.alerts.append(alert)
    return decoded


def fast_item(form: Format[Wire], body: bytes, window: Window) -> NativeAlert | None:
    """One item as an alert, or None when it is not plainly good."""
    try:
        wire = form.one.decode(body)
        alert = form.alert(wire, is_clean(body), window)
    except UNDECODABLE:
        return None
    return alert if form.strings(wire) == strings_in(body) else None


def _read_item(form: Format[Wire], body: bytes, reader: ItemReader) -> tuple[NativeAlert, ItemReader]:
    try:
        value, faults = strict_json.examine(body, reader.pointer, reader.index)
    except InputRefused as refused:
        value, faults = None, []
        reader.fault((), refused.code, refused.detail)
    reader.faults.extend(faults[: limits.MAX_FAULTS_OF_ITEM])
    return _read_value(form, value, reader), reader


def _read_value(form: Format[Wire], value: Any, reader: ItemReader) -> NativeAlert:
    if not isinstance(value, dict):
        reader.fault((), "type", _("An alert must be an object."))
    if reader.faults:
        # What the values mean is uncertain now; judging them too would only blur what is wrong.
        return NativeAlert({}, {}, 0, "")
    return form.read(value, reader)


def clean_texts(
    labels: dict[str, str], annotations: dict[str, str], is_body_clean: bool
) -> tuple[dict[str, str], dict[str, str], int] | None:
    """Labels and annotations as they are kept, with the flag for a change; None when they cannot be read this fast."""
    if not are_names(labels) or not are_names(annotations):
        return None
    if is_body_clean and "" not in labels.values():
        return labels, annotations, 0
    return _clean_both(labels, annotations)


def _clean_both(
    labels: dict[str, str], annotations: dict[str, str]
) -> tuple[dict[str, str], dict[str, str], int] | None:
    """Labels and annotations cleaned, with the flag for that; None when one holds a NUL or no label is left."""
    texts = "".join(labels.values())
    notes = "".join(annotations.values())
    if "\0" in texts or "\0" in notes:
        return None
    is_changed = is_note_changed = False
    if not texts.isprintable() or "" in labels.values():
        labels, is_changed = clean_labels(labels)
    if not notes.isprintable() and not notes.replace("\n", "").isprintable():
        annotations, is_note_changed = clean_annotations(annotations)
    if not labels:
        return None
    return labels, annotations, Flag.TEXT_CLEANED.value if is_changed or is_note_changed else 0
