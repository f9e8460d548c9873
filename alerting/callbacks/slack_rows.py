"""Presses in Slack as rows: done once, at once when the tenant's turn is free, else by a worker.

The row and its timer are committed before anything is done. Who does it holds the timer until the act, its
record and the end of the timer are committed together, so that two of them never do the same press.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import OperationalError, connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from alerting import timers, wakeup
from alerting.callbacks import slack_acts
from alerting.models import SlackAct, Timer
from alerting.rows import execute, fetch
from channels.models import CallbackCall, Channel, ChannelIdentity
from channels.selectors import database_now
from channels.slack import answering
from channels.slack.requests import Call
from tenants.access import member_principal
from tenants.context import current_tenant_id, tenant_context
from tenants.models import Tenant
from tenants.principal import Principal

log = structlog.get_logger(__name__)
#: How long a press waits for the tenant's turn while Slack waits for the answer; then a worker does it.
LOCK_TIMEOUT: Final = timedelta(milliseconds=700)
#: Whoever took a press does it; when nothing has come of it after so long, a worker does.
GRACE: Final = timedelta(seconds=3)
#: A press as old as this is not done any more: the person has long acted otherwise, and Slack's address soon dies.
EXPIRY: Final = timedelta(minutes=10)
#: After so many others get their turn: each may wait for Slack to hear of it. The relay announces what is left.
MAX_ACTS: Final = 20
_MS: Final = timedelta(milliseconds=1)
KIND: Final = Timer.Kind.SLACK_ACT

_SET_TIMER: Final = """
INSERT INTO timer (tenant_id, kind, object_id, due_at) VALUES (%s, %s, %s, statement_timestamp() + %s)
ON CONFLICT (tenant_id, kind, object_id) DO UPDATE SET due_at = excluded.due_at
"""
_CLAIM: Final = """
SELECT object_id FROM timer WHERE tenant_id = %s AND kind = %s AND object_id = %s FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a press: a code for the diagnosis page, words for the person, and where to say them."""

    code: str
    words: str
    response_url: str = ""


def keep(channel: Channel, call: Call, act: str, group_id: UUID) -> UUID:
    """Write a press down; with the caller's commit it will be done, whatever becomes of this process."""
    row = SlackAct._default_manager.create(
        channel=channel,
        kind=call.kind,
        act=act,
        group_id=group_id,
        user_id=call.user_id,
        inputs=call.inputs,
        response_url=call.response_url,
    )
    execute(_SET_TIMER, [current_tenant_id(), KIND, row.pk, GRACE])
    return row.pk


def do_now(tenant: Tenant, act_id: UUID, took_ms: int) -> Done | None:
    """Do a press if the tenant's turn comes soon; None leaves it to a worker, who is told."""
    with tenant_context(tenant.pk):
        if not fetch(_CLAIM, [tenant.pk, KIND, act_id]):
            return None
        row = _read(act_id)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_TIMEOUT // _MS}ms"])
                return _end(row, _try(tenant, row), took_ms)
        except OperationalError:
            _write_call(row, Done("waiting", ""), took_ms + LOCK_TIMEOUT // _MS)
            execute(_SET_TIMER, [tenant.pk, KIND, act_id, timedelta(0)])
            transaction.on_commit(lambda: wakeup.ring(wakeup.SLACK_ACTS, tenant.pk))
    return None


def do_due(tenant_id: UUID) -> int:
    """Do presses of the tenant that nobody has done, at most MAX_ACTS, and tell those who pressed; return how many."""
    total = 0
    while total < MAX_ACTS and (done := _do_next(tenant_id)) is not None:
        total += 1
        if done.response_url and done.words:
            # Slack itself is called with no transaction open.
            answering.answer(done.response_url, done.words)
    return total


def principal_of(tenant: Tenant, channel: Channel, user_id: str) -> Principal | None:
    """Return the member that a Slack user is, with what their role allows now; None for strangers."""
    identities = ChannelIdentity._default_manager.filter(channel=channel, external_id=user_id)
    identity = identities.select_related("user").first()
    if identity is None or not identity.user.is_active:
        return None
    principal = member_principal(identity.user, tenant, None)
    return replace(principal, label=f"{principal.label} (Slack)") if principal else None


def _do_next(tenant_id: UUID) -> Done | None:
    tenant = Tenant.objects.get(pk=tenant_id)
    with tenant_context(tenant_id):
        for _kind, act_id in timers.claim_due(database_now(), 1, [KIND]):
            row = SlackAct._default_manager.filter(pk=act_id, ended_at=None).select_related("channel").first()
            if row is None:
                # Its channel was removed meanwhile, and the row with it.
                _take_timer_away(act_id)
                return Done("gone", "")
            done = _end(row, _try(tenant, row))
            log.info("slack_act_done_later", tenant=tenant.slug, act=row.act, outcome=done.code)
            return done
    return None


def _try(tenant: Tenant, row: SlackAct) -> Done:
    """Do it in a savepoint: what fails half-way leaves nothing, and the record of it stays."""
    with translation.override(row.channel.locale or tenant.locale):
        try:
            with transaction.atomic():
                return Done("done", _act(tenant, row))
        except slack_acts.CannotAct as error:
            return Done(error.code, str(error))
        except OperationalError:
            raise  # The turn did not come, or the database went: it is tried again.
        except Exception:  # tried again it would break again, and keep the presses behind it
            log.exception("slack_act_failed", tenant=tenant.slug, act=row.act)
            return Done("failed", _("Something broke here; nothing was done."))


def _act(tenant: Tenant, row: SlackAct) -> str:
    if database_now() - row.received_at > EXPIRY:
        raise slack_acts.CannotAct(
            "expired", _("This waited too long and was not done; press again if it still holds.")
        )
    if not row.channel.is_active:
        raise slack_acts.CannotAct("switched_off", _("This channel is switched off in the alerting service."))
    # Asked anew: whoever lost the right between pressing and now does not act any more.
    principal = principal_of(tenant, row.channel, row.user_id)
    if principal is None:
        raise slack_acts.CannotAct(
            "not_linked", _("You are not a member of this tenant, so you cannot act in it from Slack.")
        )
    call = Call(kind=row.kind, user_id=row.user_id, response_url=row.response_url, inputs=row.inputs)
    return slack_acts.act(principal, row.act, row.group_id, call)


def _end(row: SlackAct, done: Done, took_ms: int = 0) -> Done:
    """Write down what became of it; nobody does it again."""
    url = row.response_url
    row.outcome, row.ended_at, row.response_url, row.inputs = done.code, database_now(), "", {}
    row.save(update_fields=["outcome", "ended_at", "response_url", "inputs"])
    _write_call(row, done, took_ms)
    _take_timer_away(row.pk)
    return replace(done, response_url=url)


def _write_call(row: SlackAct, done: Done, took_ms: int) -> None:
    """Show it on the diagnosis page: one line for each press, first that it waits, then how it ended."""
    shown = {"outcome": done.code, "detail": "" if done.code == "done" else done.words[:300]}
    first = {"channel": row.channel, "act": row.act, "external_user": row.user_id, "took_ms": took_ms}
    CallbackCall._default_manager.update_or_create(pk=row.pk, defaults=shown, create_defaults={**first, **shown})


def _take_timer_away(act_id: UUID) -> None:
    no_time: tuple[str, datetime | None] = (str(act_id), None)
    timers.reset([no_time], KIND)


def _read(act_id: UUID) -> SlackAct:
    return SlackAct._default_manager.select_related("channel").get(pk=act_id)
