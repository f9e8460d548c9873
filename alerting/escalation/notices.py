"""The messages of steps to single recipients, sent or waiting for their time: read and written many at once."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from alerting.models import NoticeState
from alerting.rows import as_json, execute, fetch
from tenants.context import current_tenant_id

_READ: Final = """
SELECT id, escalation_id, run, step, person_id, who, channel_id, recipient, due_at
FROM escalation_notice WHERE tenant_id = %s AND escalation_id = ANY(%s::uuid[]) AND state = 'waiting'
ORDER BY due_at, id
"""
_WRITE: Final = """
INSERT INTO escalation_notice (id, tenant_id, escalation_id, run, step, person_id, who, channel_id, recipient, due_at,
                               state, delivery_id)
SELECT id, %s, escalation_id, run, step, person_id, who, channel_id, recipient, due_at, state, delivery_id
FROM json_to_recordset(%s::json) AS n (id uuid, escalation_id uuid, run int, step int, person_id uuid, who text,
    channel_id uuid, recipient text, due_at timestamptz, state text, delivery_id uuid)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, delivery_id = excluded.delivery_id
"""


class Notice(msgspec.Struct, kw_only=True):
    """One message of a step to one recipient."""

    id: UUID
    escalation_id: UUID
    run: int
    step: int
    person_id: UUID | None
    who: str
    channel_id: UUID
    recipient: str
    due_at: datetime
    state: str = NoticeState.WAITING.value
    delivery_id: UUID | None = None


def read_waiting(escalations: Sequence[UUID]) -> dict[UUID, list[Notice]]:
    """What still waits for its time, by escalation, the soonest first."""
    found: dict[UUID, list[Notice]] = defaultdict(list)
    array = "{" + ",".join(map(str, escalations)) + "}"
    for row in fetch(_READ, [current_tenant_id(), array]):
        found[row[1]].append(
            Notice(
                id=row[0],
                escalation_id=row[1],
                run=row[2],
                step=row[3],
                person_id=row[4],
                who=row[5],
                channel_id=row[6],
                recipient=row[7],
                due_at=row[8],
            )
        )
    return found


def write(changed: Sequence[Notice]) -> None:
    """Store notices, new and known ones alike, in one statement."""
    if changed:
        execute(_WRITE, [current_tenant_id(), as_json(changed)])
