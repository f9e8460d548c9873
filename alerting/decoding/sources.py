"""Which formats the door takes: the name of a source and the function that decodes it."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from alerting.decoding.alert import Decoded
from alerting.decoding.alertmanager import decode_alertmanager
from alerting.decoding.native import decode_native

Decoder = Callable[[bytes, datetime], Decoded]

_DECODERS: Final[dict[str, Decoder]] = {
    "native": decode_native,
    "alertmanager": decode_alertmanager,
}


def sources() -> tuple[str, ...]:
    """The names of all sources."""
    return tuple(_DECODERS)


def decoder(source: str) -> Decoder:
    """The decoder of a source; KeyError when there is none."""
    return _DECODERS[source]
