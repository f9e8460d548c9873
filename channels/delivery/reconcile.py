"""Clears up uncertain deliveries: asks the provider where it can be asked, then settles or sends again."""

import random
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import connection

from channels import sending
from channels.delivery import ending
from channels.delivery.doubt import OUTCOMES, Evidence, Fate, is_worth_asking, settle
from channels.delivery.states import TERMINAL
from channels.errors import ChannelError
from channels.models import Channel, DeliveryState, Semantics
from channels.sending import Line, Parcel, Sent
from channels.threads import anchors
from tenants.context import current_tenant_id, tenant_context
from tenants.isolation import new_id

BATCH = 20
# As long as one reconciler has a delivery, nobody else takes it up; then its fence is passed on.
HOLD_SECONDS = 120.0

_TENANTS = """
SELECT DISTINCT tenant_id FROM (
    SELECT tenant_id FROM delivery_queue WHERE state = 'uncertain' AND next_attempt_at <= statement_timestamp()
    LIMIT 1000) due
"""
# The first ten columns are those of Parcel.from_row.
_HOLD = """
WITH due AS (
    SELECT delivery_id FROM delivery_queue
    WHERE tenant_id = %(tenant)s AND state = 'uncertain' AND next_attempt_at <= statement_timestamp()
    ORDER BY priority, next_attempt_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), held AS (
    UPDATE delivery_queue q SET lease_token = q.lease_token + 1,
        next_attempt_at = statement_timestamp() + %(hold)s * interval '1 second'
    FROM due WHERE q.delivery_id = due.delivery_id RETURNING q.delivery_id, q.lease_token, q.channel_id
), told AS (
    SELECT a.delivery_id, count(*) FILTER (WHERE a.outcome = 'lookup_failed') AS lookups,
           coalesce(max(a.provider_id) FILTER (WHERE a.outcome = 'ok'), '') AS provider_id,
           count(*) FILTER (WHERE a.outcome = 'ok') AS accepted
    FROM delivery_attempt a
    WHERE a.tenant_id = %(tenant)s AND a.delivery_id = ANY(ARRAY(SELECT delivery_id FROM held))
    GROUP BY a.delivery_id
), stopped AS (
    UPDATE delivery_attempt a SET outcome = 'crashed', ended_at = statement_timestamp()
    WHERE a.tenant_id = %(tenant)s AND a.delivery_id = ANY(ARRAY(SELECT delivery_id FROM held))
      AND a.outcome = 'started'
)
SELECT d.id, d.channel_id, h.lease_token, d.recipient, d.message, d.attempts, d.ambiguous_resends, d.replay_no,
    extract(epoch FROM d.expires_at - statement_timestamp())::float8, d.created_at,
    coalesce(t.lookups, 0), coalesce(t.accepted, 0), coalesce(t.provider_id, '')
FROM held h JOIN delivery d ON d.tenant_id = %(tenant)s AND d.id = h.delivery_id
LEFT JOIN told t ON t.delivery_id = h.delivery_id
"""
_LOG_LOOKUPS = """
INSERT INTO delivery_attempt (id, tenant_id, delivery_id, lease_token, started_at)
SELECT n.id, %s, n.delivery_id, n.token, statement_timestamp()
FROM unnest(%s::uuid[], %s::uuid[], %s::int[]) AS n(id, delivery_id, token)
"""
_SETTLE = """
WITH fate AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(tokens)s::int[], %(states)s::text[], %(delays)s::float8[], %(terminal)s::bool[],
        %(resends)s::bool[], %(reasons)s::text[], %(providers)s::text[], %(outcomes)s::text[],
        %(latencies)s::int[], %(errors)s::text[], %(excerpts)s::text[])
    AS f(delivery_id, lease_token, state, delay, is_terminal, is_resend, reason, provider_id, outcome,
         latency_ms, error_class, error_excerpt)
), attempt AS (
    UPDATE delivery_attempt a SET ended_at = statement_timestamp(), outcome = f.outcome, latency_ms = f.latency_ms,
        provider_id = f.provider_id, error_class = f.error_class, error_excerpt = f.error_excerpt
    FROM fate f
    WHERE a.tenant_id = %(tenant)s AND a.delivery_id = f.delivery_id AND a.lease_token = f.lease_token
      AND a.delivery_id = ANY(%(ids)s::uuid[])
), held AS (
    SELECT f.* FROM delivery_queue q JOIN fate f ON f.delivery_id = q.delivery_id
    WHERE q.tenant_id = %(tenant)s AND q.state = 'uncertain' AND q.lease_token = f.lease_token
      AND q.delivery_id = ANY(%(ids)s::uuid[])
    ORDER BY q.delivery_id FOR UPDATE OF q
), gone AS (
    DELETE FROM delivery_queue q USING held h WHERE q.delivery_id = h.delivery_id AND h.is_terminal
), kept AS (
    UPDATE delivery_queue q SET state = h.state,
        next_attempt_at = least(q.expires_at, statement_timestamp() + h.delay * interval '1 second')
    FROM held h WHERE q.delivery_id = h.delivery_id AND NOT h.is_terminal
)
UPDATE delivery d SET state = h.state, state_reason = h.reason,
    ambiguous_resends = d.ambiguous_resends + h.is_resend::int,
    provider_id = CASE WHEN h.provider_id = '' THEN d.provider_id ELSE h.provider_id END,
    finished_at = CASE WHEN h.is_terminal THEN statement_timestamp() END
FROM held h WHERE d.tenant_id = %(tenant)s AND d.id = h.delivery_id
RETURNING d.id, d.state
"""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An uncertain delivery with what its attempts tell."""

    parcel: Parcel
    lookups: int
    accepted: bool
    provider_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A doubt with the evidence about it and what follows."""

    doubt: Doubt
    kind: str
    evidence: Evidence
    fate: Fate
    asked: Sent

    @property
    def sent(self) -> Sent:
        """What the provider said, as of a send."""
        return self.asked


def tenants_in_doubt() -> list[UUID]:
    """Return tenants with uncertain deliveries that are due."""
    with connection.cursor() as cursor:
        cursor.execute(_TENANTS)
        return [row[0] for row in cursor.fetchall()]


def reconcile_tenant(tenant_id: UUID, limit: int = BATCH) -> int:
    """Take up one tenant's uncertain deliveries; the provider is asked with no transaction open."""
    with tenant_context(tenant_id):
        doubts = _hold(limit)
        lines = _lines(doubts)
        _log_lookups([doubt for doubt in doubts if _can_ask(doubt, lines[doubt.parcel.channel_id])])
    answers = [_answer(doubt, lines[doubt.parcel.channel_id]) for doubt in doubts]
    return _settle(tenant_id, answers) if answers else 0


def _hold(limit: int) -> list[Doubt]:
    values: dict[str, Any] = {"tenant": current_tenant_id(), "batch": limit, "hold": HOLD_SECONDS}
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, values)
        rows = cursor.fetchall()
    return [Doubt(Parcel.from_row(row[:10]), row[10], bool(row[11]), row[12]) for row in rows]


def _lines(doubts: list[Doubt]) -> dict[UUID, Line | ChannelError]:
    wanted = {doubt.parcel.channel_id for doubt in doubts}
    channels = Channel.objects.filter(pk__in=wanted).select_related("template")
    lines = {channel.pk: sending.connect_or_error(channel) for channel in channels}
    return anchors.bind(lines, [doubt.parcel for doubt in doubts])


def _can_ask(doubt: Doubt, line: Line | ChannelError) -> bool:
    if doubt.accepted or isinstance(line, ChannelError) or not _is_worth_asking(doubt, doubt.lookups, is_late=False):
        return False
    return line.adapter.can_find and not line.adapter.idempotent


def _log_lookups(doubts: list[Doubt]) -> None:
    if not doubts:
        return
    ids = [doubt.parcel.delivery_id for doubt in doubts]
    tokens = [doubt.parcel.lease_token for doubt in doubts]
    with connection.cursor() as cursor:
        cursor.execute(_LOG_LOOKUPS, [current_tenant_id(), [new_id() for _doubt in doubts], ids, tokens])


def _answer(doubt: Doubt, line: Line | ChannelError) -> Answer:
    if isinstance(line, ChannelError):
        # What cannot be sent again is dead, unless it arrived.
        evidence = Evidence.ACCEPTED if doubt.accepted else Evidence.NOT_ASKED
        fate = _fate(doubt, evidence, idempotent=False, semantics=Semantics.AT_MOST_ONCE)
        return Answer(doubt, "unknown", evidence, fate, Sent(doubt.parcel))
    asked = Sent(doubt.parcel)
    evidence = Evidence.ACCEPTED if doubt.accepted else Evidence.NOT_ASKED
    if _can_ask(doubt, line):
        asked = sending.look_up(line, doubt.parcel)
        evidence = _evidence(asked, doubt)
    fate = _fate(doubt, evidence, idempotent=line.adapter.idempotent, semantics=line.semantics)
    if asked.error is not None and fate.state is DeliveryState.UNCERTAIN:
        fate = replace(fate, delay=max(fate.delay, asked.error.retry_after or 0.0))
    return Answer(doubt, line.kind, evidence, fate, asked)


def _fate(doubt: Doubt, evidence: Evidence, *, idempotent: bool, semantics: str) -> Fate:
    return settle(
        evidence,
        idempotent=idempotent,
        semantics=semantics,
        resends=doubt.parcel.ambiguous_resends,
        lookups=doubt.lookups,
        is_late=doubt.parcel.seconds_left <= 0,
        draw=random.random(),
    )


def _evidence(asked: Sent, doubt: Doubt) -> Evidence:
    if asked.receipt is not None:
        return Evidence.FOUND
    if asked.error is None:
        return Evidence.NOT_FOUND
    is_late = doubt.parcel.seconds_left <= 0
    if asked.error.permanent or not _is_worth_asking(doubt, doubt.lookups + 1, is_late=is_late):
        return Evidence.NOT_ASKED
    return Evidence.TRY_LATER


def _is_worth_asking(doubt: Doubt, lookups: int, *, is_late: bool) -> bool:
    return is_worth_asking(lookups=lookups, resends=doubt.parcel.ambiguous_resends, is_late=is_late)


def _settle(tenant_id: UUID, answers: list[Answer]) -> int:
    parcels = [answer.doubt.parcel for answer in answers]
    fates = [answer.fate for answer in answers]
    errors = [answer.asked.error for answer in answers]
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "ids": [parcel.delivery_id for parcel in parcels],
        "tokens": [parcel.lease_token for parcel in parcels],
        "states": [fate.state.value for fate in fates],
        "delays": [fate.delay for fate in fates],
        "terminal": [fate.state in TERMINAL for fate in fates],
        "resends": [fate.is_resend for fate in fates],
        "reasons": [fate.reason[:300] for fate in fates],
        "providers": [_provider_id(answer) for answer in answers],
        "outcomes": [OUTCOMES[answer.evidence].value for answer in answers],
        "latencies": [round(answer.asked.latency * 1000) for answer in answers],
        "errors": [error.reason.value if error else "" for error in errors],
        "excerpts": [error.detail.replace("\x00", "")[:500] if error else "" for error in errors],
    }
    with tenant_context(tenant_id):
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE, values)
            settled = dict(cursor.fetchall())
        anchors.keep(answers, settled)
        kinds = {answer.doubt.parcel.delivery_id: answer.kind for answer in answers}
        ending.announce(ending.Ended(key, state, kinds[key]) for key, state in settled.items())
    return sum(state != "uncertain" for state in settled.values())


def _provider_id(answer: Answer) -> str:
    found = answer.asked.receipt.provider_id if answer.asked.receipt else ""
    return (found or answer.doubt.provider_id)[:200]
