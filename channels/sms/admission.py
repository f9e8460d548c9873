"""Lets SMS out: reads plan, usage and what waits, decides, and writes all of it down in a few statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from channels import registry
from channels.delivery import ending
from channels.errors import InvalidSettings
from channels.message import Message
from channels.models import Channel, DeliveryState, SmsOptOut, SmsPlan
from channels.sms.composing import code_of
from channels.sms.condensing import condense
from channels.sms.deciding import Because, Limits, Usage, Verdict, Waiting, decide
from channels.sms.numbers import country_of
from channels.sms.quiet import quiet_until
from tenants.context import current_tenant_id
from tenants.isolation import new_id
from tenants.models import Tenant

CRITICAL: Final = 40
MAX_WAITING: Final = 1_000
#: What waited out the night has this long to be told in the morning.
AFTER_QUIET = timedelta(hours=1)
REASONS: Final = {
    Because.QUIET: _("Held back: quiet hours."),
    Because.NUMBER_CAP: _("Held back: this number got as many SMS as it may in an hour."),
    Because.TENANT_CAP: _("Held back: as many SMS went out as may in an hour."),
    Because.BUDGET: _("Held back: the monthly budget for SMS is spent."),
    Because.OPTED_OUT: _("The number wants no SMS from this sender (STOP)."),
}
SPENT = _("The monthly budget for SMS was spent for as long as it was worth telling.")
FOLDED = _("Told within another SMS to the same number: %(code)s.")

# Everything due for the numbers that were chosen, so that what waits together can be told together.
_WAITING: Final = """
WITH wanted AS (
    SELECT DISTINCT channel_id, recipient FROM delivery WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::uuid[])
)
SELECT d.id, d.channel_id, d.recipient, d.message, d.created_at, q.expires_at,
    d.state_reason <> '' AND d.attempts = 0, d.id = ANY(%(ids)s::uuid[]), s.id IS NOT NULL, statement_timestamp()
FROM delivery_queue q
JOIN delivery d ON d.tenant_id = q.tenant_id AND d.id = q.delivery_id
JOIN wanted w ON w.channel_id = d.channel_id AND w.recipient = d.recipient
LEFT JOIN sms_message s ON s.tenant_id = d.tenant_id AND s.delivery_id = d.id
WHERE q.tenant_id = %(tenant)s AND q.channel_id = ANY(%(channels)s::uuid[]) AND q.state = 'pending'
  AND q.next_attempt_at <= statement_timestamp() AND q.expires_at > statement_timestamp()
ORDER BY d.id = ANY(%(ids)s::uuid[]) DESC, q.priority, q.next_attempt_at LIMIT %(most)s
FOR UPDATE OF q SKIP LOCKED
"""
_USAGE: Final = """
SELECT number, count(*), min(admitted_at) FROM sms_message
WHERE tenant_id = %(tenant)s AND admitted_at > statement_timestamp() - interval '1 hour' GROUP BY number
"""
_SPENT: Final = """
SELECT coalesce(sum(cost), 0) FROM sms_message WHERE tenant_id = %(tenant)s
AND admitted_at >= date_trunc('month', statement_timestamp() AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s
"""
_COUNT: Final = """
INSERT INTO sms_message (id, tenant_id, delivery_id, number, code, segments, cost, is_critical)
SELECT i.id, %s, i.delivery_id, i.number, i.code, i.segments, i.cost, i.is_critical
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::int[], %s::numeric[], %s::bool[])
    AS i(id, delivery_id, number, code, segments, cost, is_critical)
ON CONFLICT (tenant_id, delivery_id) DO NOTHING
"""
_HOLD: Final = """
WITH held AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(until)s::timestamptz[], %(expires)s::timestamptz[], %(reasons)s::text[])
        AS h(delivery_id, until, expires_at, reason)
), queued AS (
    UPDATE delivery_queue q SET next_attempt_at = least(h.until, greatest(q.expires_at, h.expires_at)),
        expires_at = greatest(q.expires_at, h.expires_at)
    FROM held h WHERE q.tenant_id = %(tenant)s AND q.delivery_id = h.delivery_id
)
UPDATE delivery d SET state_reason = h.reason, expires_at = greatest(d.expires_at, h.expires_at)
FROM held h WHERE d.tenant_id = %(tenant)s AND d.id = h.delivery_id
"""
_SAY: Final = """
UPDATE delivery d SET message = c.message FROM unnest(%s::uuid[], %s::bytea[]) AS c(id, message)
WHERE d.tenant_id = %s AND d.id = c.id
"""


@dataclass(frozen=True, slots=True)
class Case:
    """An SMS that waits, with what it would say and how its channel is set."""

    waiting: Waiting
    message: Message
    segments: int


def admit(chosen: list[UUID], channels: Mapping[UUID, Channel]) -> set[UUID]:
    """Return which of the chosen go now (`channels.delivery.admitting.Admission`)."""
    plan = SmsPlan._default_manager.first() or SmsPlan()
    cases, now = _read(chosen, channels, plan)
    if not cases or now is None:
        return set(chosen)
    verdict = decide((case.waiting for case in cases.values()), limits_of(plan), _usage(plan, channels), now)
    _write(verdict, cases)
    known = set(cases)
    # What another claimer has locked is not ours to judge, and will not be leased either.
    return {one.delivery_id for one in verdict.send} | {one for one in chosen if one not in known}


def limits_of(plan: SmsPlan) -> Limits:
    """Return a plan in numbers."""
    return Limits(
        per_number=plan.per_number_hourly,
        hourly=plan.hourly,
        budget=plan.monthly_budget,
        reserve=Decimal(plan.reserve_percent) / 100,
        critical_over_budget=plan.critical_over_budget,
    )


def price_of(plan: SmsPlan, number: str) -> Decimal:
    """Return what one segment to a number is thought to cost."""
    own = dict(plan.prices).get(country_of(number))
    return Decimal(own) if own is not None else plan.price


def _read(
    chosen: list[UUID], channels: Mapping[UUID, Channel], plan: SmsPlan
) -> tuple[dict[UUID, Case], datetime | None]:
    options = {key: _options(channel) for key, channel in channels.items() if channel.kind == "sms"}
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "ids": chosen,
        "channels": list(options),
        "most": MAX_WAITING,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, values)
        rows = cursor.fetchall()
    found = [case for row in rows if (case := _case(row, options[row[1]], plan)) is not None]
    return {case.waiting.delivery_id: case for case in found}, rows[0][9] if rows else None


def _options(channel: Channel) -> Any:
    try:
        return registry.adapter(channel.kind).settings_from(channel.settings)
    except InvalidSettings:
        # Its sends are refused one by one, with the reason in the attempt log.
        return None


def _case(row: tuple[Any, ...], options: Any, plan: SmsPlan) -> Case | None:
    key, channel_id, number, raw, created_at, expires_at, was_held, is_chosen, is_counted, now = row
    try:
        message = Message.from_json(bytes(raw))
    except msgspec.DecodeError:
        return None
    segments = options.max_segments if options else 1
    ends = quiet_until(options.quiet_hours, options.time_zone or message.time_zone, now) if options else None
    waiting = Waiting(
        delivery_id=key,
        channel_id=channel_id,
        number=number,
        # A test is asked for by a person who waits for it.
        is_critical=message.severity >= CRITICAL or message.kind == "test",
        created_at=created_at,
        expires_at=expires_at,
        cost=price_of(plan, number) * segments,
        quiet_until=ends,
        was_held=was_held,
        is_chosen=is_chosen,
        is_counted=is_counted,
    )
    return Case(waiting, message, segments)


def _usage(plan: SmsPlan, channels: Mapping[UUID, Channel]) -> Usage:
    tenant_id = current_tenant_id()
    spent = Decimal(0)
    with connection.cursor() as cursor:
        cursor.execute(_USAGE, {"tenant": tenant_id})
        by_number = {number: (count, oldest) for number, count, oldest in cursor.fetchall()}
        if plan.monthly_budget is not None:
            zone = Tenant.objects.values_list("time_zone", flat=True).get(pk=tenant_id)
            cursor.execute(_SPENT, {"tenant": tenant_id, "zone": zone})
            spent = cursor.fetchone()[0]
    opted_out = SmsOptOut._default_manager.filter(channel_id__in=list(channels)).values_list("channel_id", "number")
    return Usage(
        by_number=by_number,
        hour=sum(count for count, _oldest in by_number.values()),
        hour_oldest=min((oldest for _count, oldest in by_number.values()), default=None),
        spent=spent,
        opted_out=frozenset(opted_out),
    )


def _write(verdict: Verdict, cases: Mapping[UUID, Case]) -> None:
    _count([cases[one.delivery_id] for one in verdict.send])
    _hold(verdict, cases)
    _fold(verdict, cases)
    by_reason: dict[Because, list[UUID]] = {}
    for one, because in verdict.refuse:
        by_reason.setdefault(because, []).append(one.delivery_id)
    for because, ids in by_reason.items():
        reason = SPENT if because is Because.BUDGET else REASONS[because]
        ending.end(ids, DeliveryState.EXPIRED, _in_language(cases[ids[0]], reason))


def _count(cases: Iterable[Case]) -> None:
    rows = [case for case in cases if not case.waiting.is_counted]
    if not rows:
        return
    ones = [case.waiting for case in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            [
                current_tenant_id(),
                [new_id() for _one in ones],
                [one.delivery_id for one in ones],
                [one.number for one in ones],
                [code_of(str(one.delivery_id)) for one in ones],
                [case.segments for case in rows],
                [one.cost for one in ones],
                [one.is_critical for one in ones],
            ],
        )


def _hold(verdict: Verdict, cases: Mapping[UUID, Case]) -> None:
    if not verdict.hold:
        return
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "ids": [one.delivery_id for one, _until, _because in verdict.hold],
        "until": [until for _one, until, _because in verdict.hold],
        # Only the night and the caps give more time: a budget may stay spent for weeks.
        "expires": [
            one.expires_at if because is Because.BUDGET else until + AFTER_QUIET for one, until, because in verdict.hold
        ],
        "reasons": [_in_language(cases[one.delivery_id], REASONS[because]) for one, _until, because in verdict.hold],
    }
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, values)


def _fold(verdict: Verdict, cases: Mapping[UUID, Case]) -> None:
    """Let the carriers say what the others would have, and end those as told."""
    if not verdict.fold:
        return
    said = {}
    for key, others in verdict.fold.items():
        carrier = cases[key]
        with translation.override(carrier.message.locale):
            said[key] = condense(carrier.message, [cases[one.delivery_id].message for one in others])
            reason = str(FOLDED) % {"code": code_of(str(key))}
        ending.end([one.delivery_id for one in others], DeliveryState.CANCELLED, reason)
    with connection.cursor() as cursor:
        cursor.execute(_SAY, [list(said), [message.to_json() for message in said.values()], current_tenant_id()])


def _in_language(case: Case, text: Any) -> str:
    with translation.override(case.message.locale):
        return str(text)[:300]
