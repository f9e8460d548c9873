"""Finds the numbers of series by their identity, and enters those that are seen for the first time."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import msgspec
import structlog
from django.conf import settings

from metrics.points import decode_about
from metrics.storage import rows
from tenants.isolation import new_id

log = structlog.get_logger(__name__)

#: What a sample of a series beyond the tenant's limit gets in place of a number.
REFUSED: Final = -1
_MOST_REMEMBERED: Final = 500_000

_FIND: Final = """
SELECT s.label_hash, s.number FROM unnest(%s::bytea[]) AS wanted (label_hash)
JOIN series s ON s.tenant_id = %s AND s.label_hash = wanted.label_hash
"""
_ENTER: Final = """
INSERT INTO series (id, tenant_id, metric, labels, label_hash, unit, kind)
SELECT new.id, %s, new.metric, new.labels::jsonb, decode(new.label_hash, 'hex'), new.unit, new.kind
FROM json_to_recordset(%s) AS new (id uuid, metric text, labels json, label_hash text, unit text, kind text)
ON CONFLICT (tenant_id, label_hash) DO NOTHING
"""


class _Known:
    """The numbers this process has met, newest last."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[tuple[UUID, bytes], int] = OrderedDict()

    def get(self, tenant_id: UUID, label_hash: bytes) -> int | None:
        return self._numbers.get((tenant_id, label_hash))

    def put(self, tenant_id: UUID, found: Iterable[tuple[bytes, int]]) -> None:
        self._numbers.update({(tenant_id, label_hash): number for label_hash, number in found})
        while len(self._numbers) > _MOST_REMEMBERED:
            self._numbers.popitem(last=False)

    def forget(self) -> None:
        self._numbers.clear()


_known = _Known()
forget = _known.forget


def numbers(
    tenant_id: UUID, hashes: Sequence[bytes], units: Sequence[str], about: Sequence[msgspec.Raw]
) -> tuple[list[int], int]:
    """The number of each series in these positions, and how many were new; REFUSED beyond the tenant's limit.

    A number that was remembered may belong to a series that is gone; who reads the series' rows finds out
    and calls again after `forget`.
    """
    found: dict[bytes, int] = {}
    unknown: dict[bytes, int] = {}
    for position, label_hash in enumerate(hashes):
        number = _known.get(tenant_id, label_hash)
        if number is None:
            unknown.setdefault(label_hash, position)
        else:
            found[label_hash] = number
    new = 0
    if unknown:
        found |= _find(tenant_id, unknown)
        missing = {label_hash: at for label_hash, at in unknown.items() if label_hash not in found}
        if missing:
            new = _enter(tenant_id, missing, units, about)
            found |= _find(tenant_id, missing)
        _known.put(tenant_id, [(label_hash, found[label_hash]) for label_hash in unknown if label_hash in found])
    return [found.get(label_hash, REFUSED) for label_hash in hashes], new


def _find(tenant_id: UUID, wanted: Iterable[bytes]) -> dict[bytes, int]:
    found = rows.fetch(_FIND, [[memoryview(label_hash) for label_hash in wanted], tenant_id])
    return {bytes(label_hash): number for label_hash, number in found}


def _enter(tenant_id: UUID, missing: dict[bytes, int], units: Sequence[str], about: Sequence[msgspec.Raw]) -> int:
    """Make the missing series, as many as the tenant may still have; in order, so that two never deadlock."""
    taken = rows.fetch("SELECT count(*) FROM series WHERE tenant_id = %s", [tenant_id])[0][0]
    room = max(0, settings.METRICS_SERIES_PER_TENANT - taken)
    if len(missing) > room:
        log.warning("series refused", tenant_id=str(tenant_id), refused=len(missing) - room, limit=taken + room)
    entered = []
    for label_hash in sorted(missing)[:room]:
        at = missing[label_hash]
        one = decode_about(about[at])
        entered.append(
            {
                "id": str(new_id()),
                "metric": one.metric,
                "labels": one.labels,
                "label_hash": label_hash.hex(),
                "unit": units[at],
                "kind": one.kind,
            }
        )
    return rows.execute(_ENTER, [tenant_id, json.dumps(entered)]) if entered else 0
