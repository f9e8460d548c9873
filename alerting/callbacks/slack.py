"""What people do in Slack put into effect: verified, by a linked member, within what their role allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from alerting.callbacks import once, slack_acts, slack_rows
from channels import sending
from channels.callbacks.errors import Refused
from channels.errors import ChannelError
from channels.models import CallbackCall, Channel
from channels.slack import answering, linking, requests, views
from channels.slack.requests import Call, Unverified
from channels.slack.values import Forged, read_act
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.principal import Principal

log = structlog.get_logger(__name__)
PROVIDER: Final = "slack"
DIALOGS: Final = frozenset({"comment", "silence_until"})
#: So many refused calls a minute are written down for each channel; more would only fill the table.
MAX_REFUSED_A_MINUTE: Final = 30


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call as it came over HTTP."""

    body: bytes
    content_type: str
    timestamp: str
    signature: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: a code and words for the diagnosis page, and what is still to be done after the commit."""

    code: str
    words: str = ""
    act: str = ""
    response: dict[str, Any] | None = None
    later: Callable[[], None] | None = None
    #: The row that holds what is to be done.
    kept: UUID | None = None


def take_call(slug: str, channel_id: UUID, incoming: Incoming) -> dict[str, Any] | None:
    """Apply one call of Slack; return what to answer it. Raises `Refused` or `Malformed`."""
    started = time.monotonic()
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise Refused
    call, outcome = _verified(tenant, channel_id, incoming, started)
    if outcome.kept is not None:
        outcome = _do(tenant, call, outcome, outcome.kept, started)
    log.info("slack_call", tenant=tenant.slug, channel=str(channel_id), act=outcome.act, outcome=outcome.code)
    if outcome.later is not None:
        # Slack itself is called with no transaction open.
        outcome.later()
    if outcome.words and (call.kind == "action" or (outcome.code == "waiting" and call.response_url)):
        answering.answer(call.response_url, outcome.words)
    if call.kind == "command":
        return outcome.response or answering.ephemeral(outcome.words)
    return outcome.response


def _verified(tenant: Tenant, channel_id: UUID, incoming: Incoming, started: float) -> tuple[Call, Outcome]:
    refused: Unverified | None = None
    with tenant_context(tenant.pk):
        channel = Channel._default_manager.filter(pk=channel_id, kind=PROVIDER).first()
        if channel is None:
            raise Refused
        try:
            requests.verify(_secret(channel), incoming.body, incoming.timestamp, incoming.signature, time.time())
            if not once.take(PROVIDER, incoming.signature[:120]):
                raise Unverified("replayed")
        except Unverified as error:
            refused = error
            _record_refused(channel, error.why, started)
        else:
            call = requests.read_call(incoming.body, incoming.content_type)
            with translation.override(channel.locale or tenant.locale):
                outcome = _obey(tenant, channel, call)
            if outcome.kept is None:
                _record(channel, call, outcome, started)
    if refused is not None:
        raise refused
    return call, outcome


def _obey(tenant: Tenant, channel: Channel, call: Call) -> Outcome:
    if call.kind == "challenge":
        return Outcome("ok", act="url_verification", response={"challenge": call.challenge})
    if call.kind in {"event", "other"}:
        return Outcome("ignored", act=call.text)
    if not channel.is_active:
        return _deny(call, Outcome("switched_off", _("This channel is switched off in the alerting service.")))
    principal = slack_rows.principal_of(tenant, channel, call.user_id)
    if principal is None:
        return _deny(call, _ask_to_link(tenant, channel, call))
    if call.kind == "command":
        words = slack_acts.obey_command(principal, call.text)
        return Outcome("done", words, act=f"/alerts {call.text}"[:40])
    try:
        act, group_id = read_act(str(channel.pk), call.act_value)
    except Forged:
        return _deny(call, Outcome("forged", _("This button was not made here for this channel.")))
    if call.kind == "action" and act in DIALOGS:
        return _open(channel, principal, call, act)
    words = _("It is being done; you are told here as soon as it is.")
    return Outcome("kept", words, act=act, kept=slack_rows.keep(channel, call, act, group_id))


def _do(tenant: Tenant, call: Call, outcome: Outcome, kept: UUID, started: float) -> Outcome:
    """Do what was written down, or say that a worker is at it."""
    done = slack_rows.do_now(tenant, kept, _took(started))
    if done is None:
        return replace(outcome, code="waiting")
    outcome = replace(outcome, code=done.code, words=done.words)
    return outcome if done.code == "done" else _deny(call, outcome)


def _open(channel: Channel, principal: Principal, call: Call, act: str) -> Outcome:
    if not principal.can("act_on_alerts"):
        return Outcome("not_allowed", slack_acts.not_allowed(principal), act=act)
    token, now = sending.connect(channel).credentials.token, slack_acts.now()

    def later() -> None:
        try:
            views.open_dialog(token, call.trigger_id, act, f"{call.act_value} {call.response_url}".rstrip(), now)
        except ChannelError as error:
            answering.answer(call.response_url, _("Slack did not open the dialog: %(why)s") % {"why": error})

    return Outcome("dialog", act=act, later=later)


def _deny(call: Call, outcome: Outcome) -> Outcome:
    """Say no where the person looks: a dialog shows it in itself."""
    if call.kind == "submission":
        errors = {"response_action": "errors", "errors": {"answer": outcome.words}}
        return replace(outcome, response=errors)
    return outcome


def _ask_to_link(tenant: Tenant, channel: Channel, call: Call) -> Outcome:
    claim = linking.Claim(slug=tenant.slug, channel_id=str(channel.pk), user_id=call.user_id, user_name=call.user_name)
    words = _("I do not know who you are here yet. Sign in and confirm, then try again: %(url)s")
    return Outcome("not_linked", words % {"url": linking.link_url(claim)})


def _record(channel: Channel, call: Call, outcome: Outcome, started: float) -> None:
    # The words may hold a link that links whoever opens it.
    detail = "" if outcome.code in {"done", "not_linked"} else outcome.words
    CallbackCall._default_manager.create(
        channel=channel,
        act=outcome.act or call.kind,
        external_user=call.user_id,
        outcome=outcome.code,
        detail=detail[:300],
        took_ms=_took(started),
    )


def _record_refused(channel: Channel, why: str, started: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM callback_call WHERE tenant_id = %s AND channel_id = %s"
            " AND received_at > statement_timestamp() - interval '1 minute'",
            [channel.tenant_id, channel.pk],
        )
        (recent,) = cursor.fetchone()
    if recent < MAX_REFUSED_A_MINUTE:
        CallbackCall._default_manager.create(channel=channel, outcome=why, took_ms=_took(started))


def _took(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _secret(channel: Channel) -> str:
    with suppress(ChannelError):
        return str(sending.connect(channel).credentials.signing_secret)
    return ""
