"""Writes down how the calls of one batch went, fenced by the lease, in a constant number of statements."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from channels.delivery import disabling, ending, health, measures, shared_limits
from channels.delivery.circuit import Circuit, Health, Signal, record
from channels.delivery.retry import Outcome, Verdict, judge
from channels.delivery.sharing import Throttled
from channels.delivery.states import TERMINAL
from channels.mail import pausing
from channels.models import DeliveryState
from channels.sending import Parcel, Sent
from channels.sms import opting_out
from channels.threads import anchors
from tenants.context import current_tenant_id, tenant_context


@dataclass(frozen=True, slots=True)
class Result:
    """One call with its verdict and the kind of its channel.

    `is_carried` when another delivery made the call; `account` is the key of the limit that its channel shares.
    """

    sent: Sent
    verdict: Verdict
    kind: str
    is_carried: bool = False
    account: str = ""


# The ids are named once more as an array: they lead to the index even where PostgreSQL has no statistics yet.
# An attempt that a sweeper called crashed may still be told right: its sender was slow, not dead.
_FINISH = """
WITH result AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(tokens)s::int[], %(states)s::text[], %(delays)s::float8[], %(terminal)s::bool[],
        %(reasons)s::text[], %(degraded)s::text[], %(providers)s::text[], %(outcomes)s::text[], %(statuses)s::int[],
        %(latencies)s::int[], %(errors)s::text[], %(excerpts)s::text[])
    AS r(delivery_id, lease_token, state, delay, is_terminal, reason, degraded, provider_id, outcome, http_status,
         latency_ms, error_class, error_excerpt)
), attempt AS (
    UPDATE delivery_attempt a SET ended_at = statement_timestamp(), outcome = r.outcome, http_status = r.http_status,
        provider_id = r.provider_id, latency_ms = r.latency_ms, error_class = r.error_class,
        error_excerpt = r.error_excerpt
    FROM result r
    WHERE a.tenant_id = %(tenant)s AND a.delivery_id = r.delivery_id AND a.lease_token = r.lease_token
      AND a.delivery_id = ANY(%(ids)s::uuid[]) AND a.outcome IN ('started', 'crashed')
), held AS (
    SELECT r.* FROM delivery_queue q JOIN result r ON r.delivery_id = q.delivery_id
    WHERE q.tenant_id = %(tenant)s AND q.state = 'leased' AND q.lease_token = r.lease_token
      AND q.delivery_id = ANY(%(ids)s::uuid[])
    ORDER BY q.delivery_id FOR UPDATE OF q
), gone AS (
    DELETE FROM delivery_queue q USING held h WHERE q.delivery_id = h.delivery_id AND h.is_terminal
), kept AS (
    UPDATE delivery_queue q SET state = h.state, lease_until = NULL,
        crashes = CASE WHEN h.outcome = 'released' THEN q.crashes ELSE 0 END,
        next_attempt_at = least(q.expires_at, statement_timestamp() + h.delay * interval '1 second')
    FROM held h WHERE q.delivery_id = h.delivery_id AND NOT h.is_terminal
)
UPDATE delivery d SET state = h.state, state_reason = h.reason, degraded = h.degraded,
    provider_id = CASE WHEN h.provider_id = '' THEN d.provider_id ELSE h.provider_id END,
    attempts = d.attempts - (h.outcome = 'released')::int,
    finished_at = CASE WHEN h.is_terminal THEN statement_timestamp() END
FROM held h WHERE d.tenant_id = %(tenant)s AND d.id = h.delivery_id
RETURNING d.id, d.state
"""


def decide(sent: Sent, kind: str, *, idempotent: bool) -> Result:
    """Turn how a call went into what becomes of the delivery."""
    if sent.error is None:
        return Result(sent, Verdict(DeliveryState.DELIVERED, Outcome.OK, Signal.SUCCESS), kind)
    verdict = judge(
        sent.error,
        attempts=sent.parcel.attempts,
        seconds_left=sent.parcel.seconds_left - sent.latency,
        idempotent=idempotent,
        draw=random.random(),
    )
    return Result(sent, verdict, kind)


def carry(result: Result, parcel: Parcel, count: int) -> Result:
    """Return what becomes of a delivery that was told within another one's message."""
    sent = replace(result.sent, parcel=parcel)
    verdict = result.verdict
    if verdict.state is DeliveryState.DELIVERED:
        reason = _("Told in one message with others: %(count)d waited, more than the channel's rate allows.")
        verdict = replace(verdict, reason=reason % {"count": count})
    return Result(sent, verdict, result.kind, is_carried=True)


def release(sent: Sent, kind: str) -> Result:
    """Give a delivery back that was leased but not called for: its attempt does not count."""
    verdict = Verdict(DeliveryState.PENDING, Outcome.RELEASED, Signal.REFUSED)
    return Result(sent, verdict, kind)


def finish(tenant_id: UUID, results: list[Result]) -> list[UUID]:
    """Settle the batch; returns the deliveries settled. A lost lease leaves only its attempt's outcome."""
    if not results:
        return []
    with tenant_context(tenant_id):
        _record_health(results)
        disabling.disable_asked(results)
        opting_out.mark_refused(results)
        pausing.pause_refused(results)
        settled = _write(results)
        anchors.keep(results, settled)
        kinds = {result.sent.parcel.delivery_id: result.kind for result in results}
        ending.announce(ending.Ended(key, state, kinds[key]) for key, state in settled.items())
    _measure(results, settled)
    return list(settled)


def _record_health(results: Iterable[Result]) -> None:
    called = [result for result in results if result.verdict.outcome is not Outcome.RELEASED and not result.is_carried]
    now, healths = health.lock(result.sent.parcel.channel_id for result in called)
    if now is None:
        return
    before = dict(healths)
    for result in called:
        channel_id = result.sent.parcel.channel_id
        if channel_id in healths:
            verdict = result.verdict
            healths[channel_id] = record(
                healths[channel_id], verdict.signal, now, wait=verdict.delay, reason=verdict.reason
            )
            _count_opening(before[channel_id], healths[channel_id], result.kind)
            before[channel_id] = healths[channel_id]
    health.save(healths.values())
    shared_limits.note_throttled(_throttled(called), now)


def _throttled(called: Iterable[Result]) -> list[Throttled]:
    found = []
    for result in called:
        error, verdict = result.sent.error, result.verdict
        if verdict.signal is Signal.THROTTLED and result.account and error is not None:
            channel_id = result.sent.parcel.channel_id
            found.append(Throttled(result.account, channel_id, verdict.delay, str(error), error.is_shared))
    return found


def _count_opening(old: Health, new: Health, kind: str) -> None:
    if new.circuit == Circuit.OPEN and old.circuit != Circuit.OPEN:
        measures.CIRCUITS_OPENED.labels(kind).inc()


def _write(results: list[Result]) -> dict[UUID, str]:
    sent = [result.sent for result in results]
    verdicts = [result.verdict for result in results]
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "ids": [one.parcel.delivery_id for one in sent],
        "tokens": [one.parcel.lease_token for one in sent],
        "states": [verdict.state.value for verdict in verdicts],
        "delays": [verdict.delay for verdict in verdicts],
        "terminal": [verdict.state in TERMINAL for verdict in verdicts],
        "reasons": [_text(verdict.reason, 300) for verdict in verdicts],
        "degraded": [_text(one.degraded, 300) for one in sent],
        "providers": [_text(one.receipt.provider_id, 200) if one.receipt else "" for one in sent],
        "outcomes": [verdict.outcome.value for verdict in verdicts],
        "statuses": [_http_status(one) for one in sent],
        "latencies": [round(one.latency * 1000) for one in sent],
        "errors": [one.error.reason.value if one.error else "" for one in sent],
        "excerpts": [_text(one.error.detail, 500) if one.error else "" for one in sent],
    }
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, values)
        return dict(cursor.fetchall())


def _http_status(sent: Sent) -> int | None:
    if sent.error is not None:
        return sent.error.status
    told = sent.receipt.detail.get("http_status", "") if sent.receipt else ""
    return int(told) if told.isdigit() else None


def _text(value: str, most: int) -> str:
    """Cut to the column, without the NUL that PostgreSQL refuses in texts."""
    return str(value).replace("\x00", "")[:most]


def _measure(results: Iterable[Result], settled: dict[UUID, str]) -> None:
    for result in results:
        sent, verdict = result.sent, result.verdict
        if verdict.outcome is Outcome.RELEASED or result.is_carried:
            continue
        measures.ATTEMPTS.labels(result.kind).observe(sent.latency)
        if sent.parcel.delivery_id not in settled:
            measures.LEASES_LOST.labels(result.kind).inc()
        elif verdict.state is DeliveryState.PENDING and sent.error is not None:
            measures.RETRIES.labels(result.kind, sent.error.reason.value).inc()
