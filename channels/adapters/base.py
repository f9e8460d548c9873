"""What every kind of channel must answer, and what it is handed to send."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, TypeVar

import msgspec
import msgspec.inspect
import structlog
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from channels.errors import ChannelError, ErrorReason, InvalidSettings, place_of
from channels.message import Message, Rendered

log = structlog.get_logger(__name__)

ContentType = Literal["text", "line", "html", "json", "mrkdwn", "blocks"]
FIELD_PATH = re.compile(r" - at `\$\.([A-Za-z0-9_]+)")


class AdapterSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a channel of one kind needs to know, without its secrets."""

    def problems(self) -> dict[str, str]:
        """Return what is wrong by field name; types are already right here."""
        return {}


class AdapterCredentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets of a channel; never printed."""

    def problems(self) -> dict[str, str]:
        """Return what is wrong by field name, never quoting a secret."""
        return {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    __str__ = __repr__


S = TypeVar("S", bound=AdapterSettings)
C = TypeVar("C", bound=AdapterCredentials)
P = TypeVar("P", bound=AdapterSettings | AdapterCredentials)


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """The one message about a source that a provider keeps; `told_at` is the time of the state it shows."""

    reference: dict[str, str]
    severity: int = 0
    told_at: datetime


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What several channels share at a provider, such as a workspace: `key` tells it from others and is no secret."""

    key: str
    detail: str
    per_minute: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that the provider took the message; `provider_id` finds it again, `anchor` goes on with its thread."""

    provider_id: str
    detail: dict[str, str] = {}
    anchor: Anchor | None = None


class Outgoing(msgspec.Struct, Generic[S, C], frozen=True, kw_only=True):
    """One rendered message to one recipient, with all a channel needs to send it.

    `anchor` is there when the provider has a message about the same source; `digest` holds what else waited and is
    told by this one message, each with its delivery id.
    """

    delivery_id: str
    message: Message
    rendered: Rendered
    settings: S
    credentials: C
    recipient: str
    idempotency_key: str = ""
    channel_id: str = ""
    anchor: Anchor | None = None
    digest: tuple[Message, ...] = ()

    def part(self, name: str) -> str:
        """Return one rendered part, empty when the template has none."""
        return self.rendered.parts.get(name, "")


class Adapter(ABC, Generic[S, C]):
    """One kind of channel: stateless, safe to share between threads, free of the database.

    `send` returns a receipt or raises `ChannelError`, nothing else (`deliver` sees to that).
    `idempotent` says that a second send with the same delivery id reaches the reader once.
    `can_find` says that `find` can tell whether an uncertain send arrived. `wants_status` asks for
    a message also when somebody acknowledges a group. `admission` is the dotted path of a
    `channels.delivery.admitting.Admission`, for kinds whose messages cost something each or follow one another.
    `threads` keeps one message about each source, which later ones change. `can_digest` tells many messages in one
    when more wait than the rate allows. `preview_notes` is the dotted path of `f(parts, message) -> dict[str, str]`,
    what a person who edits a template should know beside the text, `drawing` that of `f(rendered, message) -> str`, a
    page of HTML that shows the message as its reader sees it. `signed_links` puts a link into each message by
    which its reader acknowledges. `has_accounts` says that `account` may name one.
    """

    kind: ClassVar[str]
    label: ClassVar[str | Promise]
    Settings: ClassVar[type[AdapterSettings]]
    Credentials: ClassVar[type[AdapterCredentials]]
    parts: ClassVar[Mapping[str, ContentType]]
    idempotent: ClassVar[bool] = False
    can_find: ClassVar[bool] = False
    wants_status: ClassVar[bool] = False
    admission: ClassVar[str] = ""
    preview_notes: ClassVar[str] = ""
    drawing: ClassVar[str] = ""
    threads: ClassVar[bool] = False
    can_digest: ClassVar[bool] = False
    signed_links: ClassVar[bool] = False
    has_accounts: ClassVar[bool] = False
    default_rate_per_minute: ClassVar[int] = 60
    send_timeout: ClassVar[float] = 10.0

    def settings_from(self, raw: Mapping[str, Any]) -> S:
        """Return checked settings or raise `InvalidSettings` naming every field at fault."""
        return checked(raw, self.Settings)  # type: ignore[return-value]

    def credentials_from(self, raw: Mapping[str, Any]) -> C:
        """Return checked credentials or raise `InvalidSettings`, which never quotes a secret."""
        return checked(raw, self.Credentials)  # type: ignore[return-value]

    @abstractmethod
    def recipients(self, settings: S) -> list[str]:
        """Return who is told; each gets a delivery of their own."""

    @abstractmethod
    def send(self, outgoing: Outgoing[S, C]) -> Receipt:
        """Hand the message to the provider."""

    def place(self, settings: S) -> str:
        """Return the server that settings say the secrets are told to; empty where they have no say in it."""
        return ""

    def account(self, settings: S, credentials: C) -> Account | None:
        """Return what this channel shares with others that lead to the same provider, None when nothing."""
        return None

    def asks_consent(self, settings: S) -> bool:
        """Say whether messages ask their reader to let us see when they are opened."""
        return False

    def find(self, outgoing: Outgoing[S, C], since: datetime) -> Receipt | None:
        """Return the receipt of an earlier send, None when it surely did not arrive.

        Raises `ChannelError` when the provider cannot be asked.
        """
        raise ChannelError(ErrorReason.UNKNOWN, _("This channel cannot look up what it sent."))

    def deliver(self, outgoing: Outgoing[S, C]) -> Receipt:
        """Send, turning any unforeseen error into an ambiguous `ChannelError`."""
        try:
            return self.send(outgoing)
        except ChannelError:
            raise
        except Exception as error:
            # A bug in an adapter must not stop the engine, and bytes may have left.
            log.error("adapter_failed", kind=self.kind, error_class=type(error).__name__, at=place_of(error))
            raise ChannelError(ErrorReason.UNKNOWN, type(error).__name__, ambiguous=not self.idempotent) from error


def fingerprint(*words: str) -> str:
    """Return what tells secrets apart without telling them."""
    return hashlib.blake2b("\0".join(words).encode(), digest_size=16, person=b"channel account").hexdigest()


def checked(raw: Mapping[str, Any], model: type[P]) -> P:
    """Return a checked struct or raise `InvalidSettings` naming the fields at fault."""
    known = {info.encode_name: info for info in msgspec.structs.fields(model)}
    faults = {name: missing(info.type) for name, info in known.items() if info.required and name not in raw}
    faults |= {str(name): _("There is no such field.") for name in raw if name not in known}
    if faults:
        # All of them at once: whoever fills a form should not learn of one after the other.
        raise InvalidSettings(faults)
    try:
        value = msgspec.convert(dict(raw), type=model, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSettings(_name_field(str(error))) from None
    if problems := value.problems():
        raise InvalidSettings(problems)
    return value


def missing(kind: Any) -> str:
    """Return what is said of a field that is left out: what it takes."""
    return _("This is missing; give %(wanted)s.") % {"wanted": _wanted(msgspec.inspect.type_info(kind))}


def _wanted(kind: msgspec.inspect.Type) -> str:
    if isinstance(kind, msgspec.inspect.LiteralType):
        return _("one of: %(choices)s") % {"choices": ", ".join(map(str, kind.values))}
    if isinstance(kind, msgspec.inspect.StrType):
        return _("a text")
    if isinstance(kind, msgspec.inspect.BoolType):
        return _("true or false")
    if isinstance(kind, msgspec.inspect.IntType):
        return _("a whole number")
    if isinstance(kind, msgspec.inspect.FloatType):
        return _("a number")
    return _("an array") if isinstance(kind, msgspec.inspect.CollectionType) else _("an object")


def _name_field(text: str) -> dict[str, str]:
    """Find the field in msgspec's message, which names types and fields but no values."""
    if found := FIELD_PATH.search(text):
        return {found[1]: FIELD_PATH.split(text)[0]}
    return {"": text}
