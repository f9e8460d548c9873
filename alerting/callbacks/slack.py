"""What people do in Slack put into effect: verified, by a linked member, within what their role allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import OperationalError, connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from alerting.callbacks import once, slack_acts
from channels import sending
from channels.callbacks.errors import Refused
from channels.errors import ChannelError
from channels.models import CallbackCall, Channel, ChannelIdentity
from channels.slack import answering, linking, requests, views
from channels.slack.requests import Call, Unverified
from channels.slack.values import Forged, read_act
from tenants.access import member_principal
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.principal import Principal

log = structlog.get_logger(__name__)
PROVIDER: Final = "slack"
DIALOGS: Final = frozenset({"comment", "silence_until"})
#: So many refused calls a minute are written down for each channel; more would only fill the table.
MAX_REFUSED_A_MINUTE: Final = 30
#: Slack waits three seconds; who waits longer for the tenant's turn is told to try again.
LOCK_TIMEOUT: Final = "1500ms"


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


def take_call(slug: str, channel_id: UUID, incoming: Incoming) -> dict[str, Any] | None:
    """Apply one call of Slack; return what to answer it. Raises `Refused` or `Malformed`."""
    started = time.monotonic()
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise Refused
    call, outcome = _verified(tenant, channel_id, incoming, started)
    if outcome.later is not None:
        # Slack itself is called with no transaction open.
        outcome.later()
    if call.kind == "action" and outcome.words:
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
            _record(channel, call, outcome, started)
    if refused is not None:
        raise refused
    log.info("slack_call", tenant=tenant.slug, channel=str(channel_id), act=outcome.act, outcome=outcome.code)
    return call, outcome


def _obey(tenant: Tenant, channel: Channel, call: Call) -> Outcome:
    if call.kind == "challenge":
        return Outcome("ok", act="url_verification", response={"challenge": call.challenge})
    if call.kind in {"event", "other"}:
        return Outcome("ignored", act=call.text)
    if not channel.is_active:
        return _deny(call, Outcome("switched_off", _("This channel is switched off in the alerting service.")))
    principal = _principal(tenant, channel, call)
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
    outcome = replace(_act(principal, act, group_id, call), act=act)
    return _deny(call, outcome) if outcome.code != "done" else outcome


def _act(principal: Principal, act: str, group_id: UUID, call: Call) -> Outcome:
    """Do it in a savepoint: what fails half-way leaves nothing, and the record of the call stays."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            return Outcome("done", slack_acts.act(principal, act, group_id, call))
    except slack_acts.CannotAct as error:
        return Outcome(error.code, str(error))
    except OperationalError:
        return Outcome("busy", _("The service is busy. Nothing was done; try again in a moment."))


def _open(channel: Channel, principal: Principal, call: Call, act: str) -> Outcome:
    if not principal.can("act_on_alerts"):
        return Outcome("not_allowed", slack_acts.not_allowed(principal), act=act)
    token, now = sending.connect(channel).credentials.token, slack_acts.now()

    def later() -> None:
        try:
            views.open_dialog(token, call.trigger_id, act, call.act_value, now)
        except ChannelError as error:
            answering.answer(call.response_url, _("Slack did not open the dialog: %(why)s") % {"why": error})

    return Outcome("dialog", act=act, later=later)


def _deny(call: Call, outcome: Outcome) -> Outcome:
    """Say no where the person looks: a dialog shows it in itself."""
    if call.kind == "submission":
        errors = {"response_action": "errors", "errors": {"answer": outcome.words}}
        return replace(outcome, response=errors)
    return outcome


def _principal(tenant: Tenant, channel: Channel, call: Call) -> Principal | None:
    identity = (
        ChannelIdentity._default_manager.filter(channel=channel, external_id=call.user_id)
        .select_related("user")
        .first()
    )
    if identity is None or not identity.user.is_active:
        return None
    principal = member_principal(identity.user, tenant, None)
    return replace(principal, label=f"{principal.label} (Slack)") if principal else None


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
