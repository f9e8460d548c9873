"""The door: what is accepted here is one committed row, one round trip away from the answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _
from prometheus_client import Counter

from alerting import backlog, room, wakeup
from alerting.decoding import Decoded, ItemError, encode_body
from alerting.shared_commit import SharedCommit
from tenants.context import one_statement
from tenants.faults import InputRefused
from tenants.isolation import new_id
from tenants.principal import Principal

#: A rejected item is kept up to this size; a longer one has to be sent again once it is fixed.
MAX_RAW_BYTES = 65_536

_counter = Counter("alerting_intake_alerts", "Alerts at the door, by what became of them", ["result"])
_accepted, _rejected = _counter.labels("accepted"), _counter.labels("rejected")

# With a key, a second request waits here for the first to commit and then finds its row: exactly one is stored.
_REQUEST = """
WITH request AS (
    INSERT INTO intake_request (id, tenant_id, source, api_key_id, idempotency_key, body_sha256, body,
                                accepted, rejected, errors, trace_id, drained_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, CASE WHEN %s THEN now() END)
    ON CONFLICT (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING id, tenant_id, source, accepted
), queued AS (
    INSERT INTO intake_queue (id, tenant_id, alert_count)
    SELECT id, tenant_id, accepted FROM request WHERE accepted > 0
)
"""
_QUARANTINE = """
, quarantined AS (
    INSERT INTO quarantined_alert (id, tenant_id, intake_id, source, item_index, raw, errors)
    SELECT item.id, request.tenant_id, request.id, request.source, item.item_index, item.raw, item.errors
    FROM request, unnest(%s::uuid[], %s::int[], %s::bytea[], %s::jsonb[]) AS item (id, item_index, raw, errors)
)
"""
_ANSWER = "SELECT id FROM request"
# Rows that share a commit. Written again after an answer that got lost, they are there already.
_PLAIN = """
WITH request AS (
    INSERT INTO intake_request (id, tenant_id, source, api_key_id, body_sha256, body, accepted, rejected, trace_id)
    VALUES {rows} ON CONFLICT (id) DO NOTHING RETURNING id, tenant_id, accepted
)
INSERT INTO intake_queue (id, tenant_id, alert_count) SELECT id, tenant_id, accepted FROM request RETURNING 1
"""
_PLAIN_ROW = "(%s, %s, %s, %s, '', %s, %s, 0, %s)"
_RECALL = """
SELECT id, body_sha256, accepted, rejected, errors FROM intake_request
WHERE tenant_id = %s AND idempotency_key = %s
"""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a request is answered; `is_replayed` when it had been answered before under the same key."""

    id: UUID
    accepted: int
    rejected: int
    errors: list[dict[str, Any]]
    is_replayed: bool = False


def accept(
    principal: Principal,
    source: str,
    decoded: Decoded,
    *,
    idempotency_key: str | None = None,
    body_sha256: bytes = b"",
    trace_id: str = "",
) -> Accepted:
    """Store a request's alerts for the pipeline and its rejected items in quarantine, as one statement.

    With an idempotency key the same body is stored once however often and however concurrently it comes;
    another body under the same key is refused with 422. When this returns outside a transaction, all of it
    is committed.
    """
    principal.require("send_alerts")
    try:
        accepted = _accept(principal, source, decoded, idempotency_key, body_sha256, trace_id)
    except OperationalError as error:
        room.note_failed(error)
        raise
    room.note_stored()
    return accepted


def _accept(
    principal: Principal,
    source: str,
    decoded: Decoded,
    idempotency_key: str | None,
    body_sha256: bytes,
    trace_id: str,
) -> Accepted:
    if decoded.alerts and not (decoded.rejected or idempotency_key or connection.in_atomic_block):
        return _accept_plain(principal, source, decoded, trace_id)
    errors = [msgspec.to_builtins(error) for error in decoded.rejected]
    request_id = new_id()
    accepted, rejected = len(decoded.alerts), decoded.rejected_count
    sql, params = _REQUEST, _request_params(request_id, principal, source, decoded, errors, trace_id)
    params[4:6] = [idempotency_key, body_sha256]
    if rejected:
        sql += _QUARANTINE
        params += _quarantine_params(decoded)
    if not one_statement(principal.tenant_id, sql + _ANSWER, params):
        return _recall(principal, str(idempotency_key), body_sha256)
    if rejected:
        _rejected.inc(rejected)
    _announce(principal.tenant_id, accepted)
    return Accepted(request_id, accepted, rejected, errors)


def _accept_plain(principal: Principal, source: str, decoded: Decoded, trace_id: str) -> Accepted:
    """Store a request that has nothing to reject and nothing to recall: the most common by far."""
    request_id, accepted = new_id(), len(decoded.alerts)
    key_id = principal.id if principal.kind == "api_key" else None
    body = encode_body(decoded.alerts)
    row = [str(request_id), str(principal.tenant_id), source, key_id, body, accepted, trace_id]
    _plain.store(principal.tenant_id, row)
    _announce(principal.tenant_id, accepted)
    return Accepted(request_id, accepted, 0, [])


def _write_plain(tenant_id: UUID, rows: Sequence[Sequence[object]]) -> None:
    sql = _PLAIN.format(rows=", ".join([_PLAIN_ROW] * len(rows)))
    one_statement(tenant_id, sql, [value for row in rows for value in row])


_plain = SharedCommit(_write_plain)


def _announce(tenant_id: UUID, accepted: int) -> None:
    """Count what is stored and wake somebody for it, once it is committed."""
    if accepted:
        _accepted.inc(accepted)
        backlog.note(tenant_id, accepted)
        transaction.on_commit(lambda: wakeup.ring(wakeup.INTAKE, tenant_id))


def _request_params(
    request_id: UUID, principal: Principal, source: str, decoded: Decoded, errors: list[Any], trace_id: str
) -> list[Any]:
    return [
        str(request_id),
        str(principal.tenant_id),
        source,
        principal.id if principal.kind == "api_key" else None,
        None,
        b"",
        encode_body(decoded.alerts) if decoded.alerts else None,
        len(decoded.alerts),
        decoded.rejected_count,
        json.dumps(errors) if errors else None,
        trace_id,
        not decoded.alerts,
    ]


def _quarantine_params(decoded: Decoded) -> list[Any]:
    by_item: dict[int, list[ItemError]] = {index: [] for index in decoded.raw}
    for error in decoded.rejected:
        by_item[error.index or 0].append(error)
    return [
        [str(new_id()) for _item in by_item],
        list(by_item),
        [decoded.raw[index][:MAX_RAW_BYTES] for index in by_item],
        [json.dumps([msgspec.to_builtins(error) for error in errors]) for errors in by_item.values()],
    ]


def _recall(principal: Principal, idempotency_key: str, body_sha256: bytes) -> Accepted:
    """The answer given before under this key."""
    rows = one_statement(principal.tenant_id, _RECALL, [str(principal.tenant_id), idempotency_key])
    if not rows:
        detail = _("The first request with this idempotency key has just been removed; send it again.")
        raise InputRefused(503, "unavailable", detail, retry_after=1)
    request_id, digest, accepted, rejected, errors = rows[0]
    if bytes(digest) != body_sha256:
        detail = _("This idempotency key was used with another body; use a new key for a new body.")
        raise InputRefused(422, "idempotency_mismatch", detail)
    return Accepted(request_id, accepted, rejected, _decoded_errors(errors), is_replayed=True)


def _decoded_errors(errors: Any) -> list[dict[str, Any]]:
    # Django leaves jsonb as text to its own fields.
    found: list[dict[str, Any]] = json.loads(errors) if isinstance(errors, str) else errors or []
    return found
