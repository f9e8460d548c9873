"""Identity of alerts and groups: BLAKE2b-128 over an unambiguous, order-independent encoding of labels."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final
from uuid import UUID

import msgspec

SIZE: Final = 16

# MessagePack writes the length before each string, so no choice of names and values can imitate
# another; a format defined by a specification keeps stored identities valid across upgrades.
_encode: Final = msgspec.msgpack.Encoder(order="deterministic").encode

NOTHING_IGNORED: Final[frozenset[str]] = frozenset()


def fingerprint(labels: Mapping[str, str], ignored: frozenset[str] = NOTHING_IGNORED) -> bytes:
    """The identity of an alert within its tenant.

    Labels named in `ignored` do not count, and a label with an empty value is a missing label, as
    it is for matchers.
    """
    if "" in labels.values():
        labels = {name: value for name, value in labels.items() if value}
    if ignored and not ignored.isdisjoint(labels):
        kept = dict(labels)
        for name in ignored:
            kept.pop(name, None)
        labels = kept
    return blake2b(_encode(labels), digest_size=SIZE).digest()


def group_key(rule_id: UUID | None, labels: Iterable[tuple[str, str]]) -> bytes:
    """The identity of a group: the rule that made it, and the names and values it groups by."""
    pairs = sorted(pair for pair in labels if pair[1])
    return blake2b(_encode((rule_id.bytes if rule_id else b"", pairs)), digest_size=SIZE).digest()
