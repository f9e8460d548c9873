"""E-mail over SMTP or a provider's API, one recipient a mail, with a text and an HTML part."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Literal

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.adapters.base import (
    Account,
    Adapter,
    AdapterCredentials,
    AdapterSettings,
    Outgoing,
    Receipt,
    fingerprint,
)
from channels.adapters.smtp import Conversation
from channels.egress import Blocked, resolve_checked
from channels.egress.urls import check_host
from channels.mail import providers
from channels.mail.building import build_mail, domain_of, message_id, to_bytes
from channels.sanitise import one_line

MAX_RECIPIENTS = 50
# All channels of one mail server together; five channels at their usual rate.
ACCOUNT_PER_MINUTE = 600
MIN_SECRET = 16


class EmailSettings(AdapterSettings, frozen=True, kw_only=True):
    """Which way mail goes (`host` is for SMTP), who writes and who reads.

    `track_opens` asks readers whether we may see when they open a mail; only of those who say yes we do.
    """

    to: list[str]
    from_address: str
    provider: Literal["smtp", "postmark", "sendgrid", "brevo", "mailgun", "resend"] = "smtp"
    region: Literal["", "eu"] = ""
    host: str = ""
    from_name: str = ""
    track_opens: bool = False
    port: int = 587
    security: Literal["none", "starttls", "tls"] = "starttls"

    def problems(self) -> dict[str, str]:
        """Check host, port and every address by itself."""
        wrong = {}
        if self.provider == "smtp":
            try:
                check_host(self.host)
            except Blocked as error:
                wrong["host"] = error.detail
        if not 0 < self.port < 65536:
            wrong["port"] = _("A port is a number from 1 to 65535.")
        if not _is_address(self.from_address):
            wrong["from_address"] = _("This is not a valid e-mail address.")
        if not 1 <= len(self.to) <= MAX_RECIPIENTS:
            wrong["to"] = _("Give 1 to 50 addresses.")
        elif bad := [address for address in self.to if not _is_address(address)]:
            text = _("This is not a valid e-mail address: %(address)s")
            wrong["to"] = text % {"address": one_line(bad[0], 80)}
        return wrong


class EmailCredentials(AdapterCredentials, frozen=True, kw_only=True):
    """User and password of the mail server, both empty when it asks for none; or the key of a provider.

    `webhook_secret` is user:password in the address that the provider calls with bounces and complaints;
    `signing_key` proves the calls of those that sign them (Mailgun always, SendGrid when switched on).
    """

    user: str = ""
    password: str = ""
    api_key: str = ""
    webhook_secret: str = ""
    signing_key: str = ""

    def problems(self) -> dict[str, str]:
        """Check that there are both or none."""
        wrong = {}
        if bool(self.user) != bool(self.password):
            wrong["password"] = _("Give both user and password, or neither.")
        name, _colon, password = self.webhook_secret.partition(":")
        if self.webhook_secret and not (name and len(password) >= MIN_SECRET):
            wrong["webhook_secret"] = _("Write user:password, with a password of 16 characters or more.")
        return wrong


EmailOutgoing = Outgoing[EmailSettings, EmailCredentials]


class EmailAdapter(Adapter[EmailSettings, EmailCredentials]):
    """The Message-ID follows from the delivery id, so that a repeated mail can be told."""

    kind = "email"
    label = gettext_lazy("E-mail")
    Settings = EmailSettings
    Credentials = EmailCredentials
    parts = {"subject": "line", "text": "text", "html": "html"}
    admission = "channels.mail.pausing.admit"
    signed_links = True
    has_accounts = True
    default_rate_per_minute = 120
    send_timeout = 20.0

    def recipients(self, settings: EmailSettings) -> list[str]:
        """Return each address once, in order."""
        return list(dict.fromkeys(settings.to))

    def place(self, settings: EmailSettings) -> str:
        """Return the mail server, which is told the password, or the provider, which is told the key."""
        return _server(settings) if settings.provider == "smtp" else settings.provider

    def asks_consent(self, settings: EmailSettings) -> bool:
        """Ask where the channel wants to know."""
        return settings.track_opens

    def account(self, settings: EmailSettings, credentials: EmailCredentials) -> Account:
        """Return the mail server with who logs in there, or the provider's account."""
        if settings.provider != "smtp":
            key = fingerprint(settings.provider, credentials.api_key)
            return Account(key=key, detail=settings.provider, per_minute=ACCOUNT_PER_MINUTE)
        server = _server(settings)
        return Account(key=fingerprint(server, credentials.user), detail=server, per_minute=ACCOUNT_PER_MINUTE)

    def send(self, outgoing: EmailOutgoing) -> Receipt:
        """Hand one mail to the server or the provider."""
        settings, credentials = outgoing.settings, outgoing.credentials
        if settings.provider != "smtp":
            key = providers.send(
                settings.provider, credentials.api_key, build_mail(outgoing), self.send_timeout / 2, settings.region
            )
            detail = {"provider": settings.provider, "id": key, "to": outgoing.recipient}
            return Receipt(provider_id=message_id(outgoing), detail=detail)
        # The host is the tenant's word, so it passes the same guard as a webhook's address.
        checked = resolve_checked(settings.host, settings.port)
        conversation = Conversation(
            checked,
            security=settings.security,
            timeout=self.send_timeout,
            local_name=domain_of(settings.from_address),
        )
        login = (credentials.user, credentials.password) if credentials.user else None
        mail = build_mail(outgoing)
        words = conversation.send(settings.from_address, outgoing.recipient, to_bytes(mail), login=login)
        return Receipt(
            provider_id=message_id(outgoing),
            detail={"answer": one_line(words), "to": outgoing.recipient},
        )


def _server(settings: EmailSettings) -> str:
    return f"{settings.host.lower()}:{settings.port}"


def _is_address(address: str) -> bool:
    if not address.isascii() or any(char in address for char in ',;<>"\r\n '):
        return False
    try:
        validate_email(address)
    except ValidationError:
        return False
    return parseaddr(address)[1] == address
