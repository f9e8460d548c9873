"""Turns what the world sends into the one native form: bytes in, NativeAlert or ItemError out, no database."""

from alerting.decoding.alert import Decoded, Flag, NativeAlert, decode_body, encode_body, title_of
from alerting.decoding.alertmanager import decode_alertmanager
from alerting.decoding.native import decode_native
from alerting.decoding.sources import decode_one, decoder, sources
from tenants.faults import InputRefused, ItemError

__all__ = [
    "Decoded",
    "Flag",
    "InputRefused",
    "ItemError",
    "NativeAlert",
    "decode_alertmanager",
    "decode_body",
    "decode_native",
    "decode_one",
    "decoder",
    "encode_body",
    "sources",
    "title_of",
]
