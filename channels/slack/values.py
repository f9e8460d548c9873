"""Signs what a button carries: an act on one group, valid on one channel only."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.encoding import force_bytes

#: What buttons and menus ask for. The words on them are the phrases `buttons.<act>`.
ACTS: Final = (
    "acknowledge",
    "unacknowledge",
    "resolve",
    "comment",
    "silence_1h",
    "silence_4h",
    "silence_until",
    "assign",
    "similar",
    "useful",
    "noise",
)
MAC_BYTES: Final = 16


class Forged(Exception):
    """The value was not made here for this channel."""


class Signer:
    """Signs the acts on one group for one channel; a value has at most 75 characters, as Slack's menus demand."""

    def __init__(self, channel_id: str, group_id: str) -> None:
        self._channel_id = channel_id
        self._group_id = group_id
        self._group = _short(UUID(group_id).bytes)

    def __call__(self, act: str) -> str:
        return f"{act}.{self._group}.{_mac(settings.SECRET_KEY, self._channel_id, act, self._group_id)}"


def read_act(channel_id: str, value: str) -> tuple[str, UUID]:
    """Return act and group of a value; raises `Forged` unless it was signed for this channel."""
    act, _dot, rest = value.partition(".")
    short, _dot, mac = rest.partition(".")
    if act not in ACTS or len(value) > 150 or not value.isascii():
        raise Forged
    try:
        group_id = UUID(bytes=base64.urlsafe_b64decode(short + "=="))
    except ValueError as error:
        raise Forged from error
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(hmac.compare_digest(mac, _mac(key, channel_id, act, str(group_id))) for key in keys):
        raise Forged
    return act, group_id


def _mac(key: str | bytes, channel_id: str, act: str, group_id: str) -> str:
    words = f"{channel_id}|{act}|{group_id}".encode()
    # Keyed BLAKE2b is a MAC by itself, at a third of what HMAC costs; a message has eight of them.
    return _short(hashlib.blake2b(words, key=_derived(key), digest_size=MAC_BYTES).digest())


@lru_cache(maxsize=8)
def _derived(key: str | bytes) -> bytes:
    return hashlib.blake2b(b"channels.slack.values", key=hashlib.sha256(force_bytes(key)).digest()).digest()


def _short(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
