"""Makes one call to a provider: renders, sends or looks up; touches no database, so any thread may do it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import msgspec
import structlog
from django.utils import translation

from channels.adapters.base import Account, Adapter, Anchor, Outgoing, Receipt
from channels.errors import ChannelError, ErrorReason, InvalidSettings, UnknownKind, place_of
from channels.languages.readers import ANYBODY, Audience
from channels.mail import links
from channels.message import Message, is_found
from channels.models import Channel
from channels.registry import adapter
from channels.templating import render

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery as the claim read it; `seconds_left` until it expires was measured then."""

    delivery_id: UUID
    channel_id: UUID
    lease_token: int
    recipient: str
    message: bytes
    attempts: int
    ambiguous_resends: int
    replay_no: int
    seconds_left: float
    created_at: datetime

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Self:
        """Read a row whose columns are in the order of the fields."""
        values: tuple[Any, ...] = (*row[:4], bytes(row[4]), *row[5:])
        return cls(*values)


@dataclass(frozen=True, slots=True)
class Sent:
    """How one call went: a receipt or an error, never both."""

    parcel: Parcel
    receipt: Receipt | None = None
    error: ChannelError | None = None
    latency: float = 0.0
    degraded: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A channel made ready for sending: its adapter with checked settings and credentials."""

    channel_id: UUID
    kind: str
    adapter: Adapter[Any, Any]
    settings: Any
    credentials: Any
    template: dict[str, str]
    locale: str
    semantics: str
    time_zone: str = ""
    audience: Audience = ANYBODY
    anchors: Mapping[UUID, Anchor] = field(default_factory=dict)
    account: Account | None = None

    def outgoing(self, parcel: Parcel) -> Outgoing[Any, Any]:
        """Render the parcel's message for this channel."""
        message = self.message_of(parcel)
        with translation.override(message.locale):
            rendered = render(self.kind, self.template, message, self.audience.words)
        again = f"-{parcel.replay_no}" if parcel.replay_no else ""
        return Outgoing(
            delivery_id=str(parcel.delivery_id),
            message=message,
            rendered=rendered,
            settings=self.settings,
            credentials=self.credentials,
            recipient=parcel.recipient,
            idempotency_key=f"{parcel.delivery_id}{again}",
            channel_id=str(self.channel_id),
            anchor=self.anchors.get(parcel.delivery_id),
        )

    def digest(self, parcel: Parcel, others: Sequence[Parcel]) -> Outgoing[Any, Any]:
        """Render the parcel's message so that it tells the others too."""
        outgoing = self.outgoing(parcel)
        told = tuple(self.message_of(one) for one in [parcel, *others])
        return msgspec.structs.replace(outgoing, digest=told, anchor=None)

    def message_of(self, parcel: Parcel) -> Message:
        """Return what the parcel says, in its reader's language and time zone."""
        message = read_message(parcel).for_delivery(str(parcel.delivery_id))
        message = self.audience.address(message, parcel.recipient, self.locale, self.time_zone)
        if self.adapter.signed_links and message.group_id and message.status == "firing":
            claim = links.Claim(message.tenant_slug, str(self.channel_id), message.group_id, parcel.recipient)
            message = msgspec.structs.replace(message, ack_url=links.acknowledge_url(claim))
        if self.adapter.signed_links and message.group_id and is_found(message):
            claim = links.Claim(message.tenant_slug, str(self.channel_id), message.group_id, parcel.recipient)
            message = msgspec.structs.replace(message, judge_url=links.judge_url(claim))
        if self.adapter.asks_consent(self.settings):
            claim = links.Claim(message.tenant_slug, str(self.channel_id), "", parcel.recipient)
            message = msgspec.structs.replace(message, consent_url=links.consent_url(claim))
        return message


def read_message(parcel: Parcel) -> Message:
    """Decode the stored snapshot; one that cannot be read is refused for good."""
    try:
        return Message.from_json(parcel.message)
    except msgspec.DecodeError as error:
        raise ChannelError(ErrorReason.UNKNOWN, str(error), permanent=True) from error


def connect(channel: Channel, audience: Audience = ANYBODY) -> Line:
    """Make a channel ready; raises a permanent `ChannelError` when its configuration does not fit its kind."""
    try:
        made = adapter(channel.kind)
        settings = made.settings_from(channel.settings)
        credentials = made.credentials_from(read_credentials(channel))
    except (UnknownKind, InvalidSettings, msgspec.DecodeError) as error:
        raise ChannelError(ErrorReason.CLIENT_ERROR, str(error), permanent=True) from error
    template = channel.template.parts if channel.template is not None else {}
    return Line(
        channel_id=channel.pk,
        kind=channel.kind,
        adapter=made,
        settings=settings,
        credentials=credentials,
        template=template,
        locale=channel.locale,
        semantics=channel.semantics,
        time_zone=channel.time_zone,
        audience=audience,
        account=made.account(settings, credentials) if made.has_accounts else None,
    )


def connect_or_error(channel: Channel, audience: Audience = ANYBODY) -> Line | ChannelError:
    """Make a channel ready, or return why it cannot be."""
    try:
        return connect(channel, audience)
    except ChannelError as error:
        return error


def read_credentials(channel: Channel) -> dict[str, Any]:
    """Return the decrypted secrets by name."""
    plain: dict[str, Any] = msgspec.json.decode(channel.credentials) if channel.credentials else {}
    return plain


def prepare(line: Line, parcel: Parcel, others: Sequence[Parcel] = ()) -> Outgoing[Any, Any]:
    """Render; an unforeseen error becomes one worth another try, since nothing has left yet."""
    try:
        return line.digest(parcel, others) if others else line.outgoing(parcel)
    except ChannelError:
        raise
    except Exception as error:
        log.exception("rendering_failed", delivery=str(parcel.delivery_id), kind=line.kind)
        raise ChannelError(ErrorReason.UNKNOWN, type(error).__name__) from error


def send(line: Line, parcel: Parcel, others: Sequence[Parcel] = ()) -> Sent:
    """Hand the parcel to the provider, with what it tells besides; whatever happens comes back as a value."""
    started = time.monotonic()
    degraded = ""
    try:
        outgoing = prepare(line, parcel, others)
        degraded = outgoing.rendered.degraded_reason
        with translation.override(outgoing.message.locale):
            receipt = line.adapter.deliver(outgoing)
    except ChannelError as error:
        return Sent(parcel, error=error, latency=time.monotonic() - started, degraded=degraded)
    degraded = "; ".join(filter(None, (degraded, receipt.detail.get("degraded", ""))))
    return Sent(parcel, receipt=receipt, latency=time.monotonic() - started, degraded=degraded)


def look_up(line: Line, parcel: Parcel) -> Sent:
    """Ask the provider whether it has the parcel: a receipt when it has, neither receipt nor error when not."""
    started = time.monotonic()
    try:
        receipt = line.adapter.find(prepare(line, parcel), parcel.created_at)
    except ChannelError as error:
        return Sent(parcel, error=error, latency=time.monotonic() - started)
    except Exception as error:
        # As `Adapter.deliver` does for sends: a bug in an adapter must not stop the engine.
        log.error("adapter_failed", kind=line.kind, error_class=type(error).__name__, at=place_of(error))
        wrapped = ChannelError(ErrorReason.UNKNOWN, type(error).__name__, permanent=True)
        return Sent(parcel, error=wrapped, latency=time.monotonic() - started)
    return Sent(parcel, receipt=receipt, latency=time.monotonic() - started)
