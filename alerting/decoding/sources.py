"""Which formats the door takes: the name of a source and the function that decodes it."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _

from alerting.decoding.alert import Decoded
from alerting.decoding.alertmanager import decode_alertmanager
from alerting.decoding.native import decode_native
from tenants.faults import InputRefused
from tenants.strict_json import examine

Decoder = Callable[[bytes, datetime], Decoded]

_DECODERS: Final[dict[str, Decoder]] = {
    "native": decode_native,
    "alertmanager": decode_alertmanager,
}

#: How one item of a source stands alone in a body of that source.
_ENVELOPES: Final[dict[str, tuple[bytes, bytes]]] = {
    "native": (b"", b""),
    "alertmanager": (b'{"version":"4","alerts":[', b"]}"),
}


def sources() -> tuple[str, ...]:
    """The names of all sources."""
    return tuple(_DECODERS)


def decoder(source: str) -> Decoder:
    """The decoder of a source; KeyError when there is none."""
    return _DECODERS[source]


def decode_one(source: str, item: bytes, now: datetime) -> Decoded:
    """Decode one item of a source, as it stands in quarantine; raise InputRefused when it is not exactly one."""
    before, after = _ENVELOPES[source]
    value, _faults = examine(item)
    if not isinstance(value, dict):
        raise InputRefused(400, "type", _("An alert must be an object."))
    return _DECODERS[source](before + item + after, now)
