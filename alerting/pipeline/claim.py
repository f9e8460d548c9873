"""Which requests a drain takes, and how they leave the queue."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from alerting.decoding import NativeAlert, decode_body
from alerting.rows import as_json, execute, fetch
from tenants.context import current_tenant_id

# Oldest first, as many as fit under the limit, at least one. Only the drain that has the tenant's turn comes here.
_TAKE: Final = """
WITH waiting AS (
    SELECT id, received_at, sum(alert_count) OVER (ORDER BY received_at, id) - alert_count AS before
    FROM (SELECT id, received_at, alert_count FROM intake_queue WHERE tenant_id = %s
          ORDER BY received_at, id LIMIT %s) AS oldest
)
SELECT w.id, r.source, r.body, w.received_at FROM waiting w
LEFT JOIN intake_request r ON r.tenant_id = %s AND r.id = w.id
WHERE w.before < %s ORDER BY w.received_at, w.id
"""
_FINISH: Final = """
WITH done AS (DELETE FROM intake_queue WHERE tenant_id = %s AND id = ANY(%s::uuid[]) RETURNING id)
UPDATE intake_request r SET body = NULL, drained_at = statement_timestamp()
FROM done WHERE r.tenant_id = %s AND r.id = done.id
"""
_QUARANTINE: Final = """
INSERT INTO quarantined_alert (id, tenant_id, intake_id, source, item_index, raw, errors)
SELECT gen_random_uuid(), %s, q.intake_id, q.source, q.item_index, q.raw, q.errors
FROM json_to_recordset(%s::json) AS q (intake_id uuid, source text, item_index int, raw bytea, errors jsonb)
"""
MAX_RAW: Final = 65_536


class Item(msgspec.Struct, gc=False):
    """One alert with where it came from."""

    alert: NativeAlert
    received_at: datetime
    request: "Request"
    index: int


class Request(msgspec.Struct):
    """One claimed intake row."""

    id: UUID
    source: str
    received_at: datetime
    body: bytes


class Refused(msgspec.Struct):
    """An item nothing can be done with, for quarantine."""

    intake_id: UUID
    source: str
    item_index: int
    raw: str
    errors: list[dict[str, str]]


class Claim(msgspec.Struct):
    """What a drain took."""

    requests: list[Request]
    items: list[Item]
    refused: list[Refused]


def take(max_alerts: int) -> Claim:
    """Read the oldest waiting requests and decode their alerts; a body that is no such list is refused whole."""
    tenant_id = current_tenant_id()
    claim = Claim([], [], [])
    for request_id, source, body, received_at in fetch(_TAKE, [tenant_id, max_alerts, tenant_id, max_alerts]):
        # A queue row whose request retention has removed, or whose body is gone, has nothing left to say.
        request = Request(request_id, source or "", received_at, bytes(body or b""))
        claim.requests.append(request)
        if not request.body:
            continue
        try:
            alerts = decode_body(request.body)
        except (msgspec.MsgspecError, ValueError) as error:
            claim.refused.append(refuse(request, 0, request.body, "undecodable", str(error)))
            continue
        claim.items.extend([Item(alert, received_at, request, index) for index, alert in enumerate(alerts)])
    return claim


def refuse(request: Request, index: int, raw: bytes, code: str, message: str) -> Refused:
    """An item of a request as it stands in quarantine."""
    error = {"pointer": "", "code": code, "message": message[:500].replace("\x00", "")}
    return Refused(request.id, request.source, index, "\\x" + raw[:MAX_RAW].hex(), [error])


def finish(claim: Claim) -> None:
    """Take the requests out of the queue, drop their bodies, and put what was refused into quarantine."""
    tenant_id = current_tenant_id()
    ids = "{" + ",".join([str(request.id) for request in claim.requests]) + "}"
    if claim.refused:
        execute(_QUARANTINE, [tenant_id, as_json(claim.refused)])
    execute(_FINISH, [tenant_id, ids, tenant_id])
