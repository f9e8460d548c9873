"""E-mail over SMTP or a provider's API, one recipient a mail, with a text and an HTML part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from email.charset import BASE64, Charset
from email.mime.image import MIMEImage
from email.utils import format_datetime, parseaddr
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, SafeMIMEText
from django.core.validators import validate_email
from django.utils.html import escape
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
from channels.languages import voice_of
from channels.mail import links, providers
from channels.mail.attached import Attachment, attached
from channels.sanitise import clean, one_line

MAX_RECIPIENTS = 50
MAX_SUBJECT = 180
# All channels of one mail server together; five channels at their usual rate.
ACCOUNT_PER_MINUTE = 600
MIN_SECRET = 16
BASE64_UTF8 = Charset("utf-8")
BASE64_UTF8.body_encoding = BASE64
PRIORITY_FROM = 40
#: Where the built-in look has its charts; an own template without it has them as files below.
PLACE_OF_CHARTS = '<div class="charts"></div>'
IMAGE = (
    '<img src="cid:{cid}" alt="{alt}" width="544" '
    'style="display:block;width:100%;max-width:544px;height:auto;margin:0 0 12px;border:0;border-radius:7px;">'
)


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

    def asks_consent(self, settings: EmailSettings) -> bool:
        """Ask where the channel wants to know."""
        return settings.track_opens

    def account(self, settings: EmailSettings, credentials: EmailCredentials) -> Account:
        """Return the mail server with who logs in there, or the provider's account."""
        if settings.provider != "smtp":
            key = fingerprint(settings.provider, credentials.api_key)
            return Account(key=key, detail=settings.provider, per_minute=ACCOUNT_PER_MINUTE)
        server = f"{settings.host.lower()}:{settings.port}"
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
            local_name=_domain(settings.from_address),
        )
        login = (credentials.user, credentials.password) if credentials.user else None
        mail = build_mail(outgoing)
        words = conversation.send(settings.from_address, outgoing.recipient, to_bytes(mail), login=login)
        return Receipt(
            provider_id=message_id(outgoing),
            detail={"answer": one_line(words), "to": outgoing.recipient},
        )


class Mail(EmailMultiAlternatives):
    """A mail whose HTML goes as base64: quoted-printable of so much markup costs more than all the rest."""

    def _create_mime_attachment(self, content: Any, mimetype: str) -> Any:
        if mimetype == "text/html":
            return SafeMIMEText(content, "html", BASE64_UTF8)  # type: ignore[arg-type]  # takes a Charset too
        return super()._create_mime_attachment(content, mimetype)  # type: ignore[misc]  # not in Django's stubs


def build_mail(outgoing: EmailOutgoing) -> EmailMultiAlternatives:
    """Return the mail with headers that hold no line break, whatever the labels hold."""
    message, settings = outgoing.message, outgoing.settings
    subject = one_line(outgoing.part("subject"), MAX_SUBJECT) or one_line(message.title) or "-"
    mail = Mail(
        subject=subject,
        body=clean(outgoing.part("text")),
        from_email=_sender(settings),
        to=[outgoing.recipient],
        headers=_headers(outgoing),
    )
    files = attached(message, outgoing.rendered.voice or voice_of(message, "email"))
    shown = _pictures(mail, [one for one in files if one.mime.startswith("image/")], _domain(settings.from_address))
    if html := outgoing.part("html"):
        html = clean(html).replace(PLACE_OF_CHARTS, shown, 1)
        mail.attach_alternative(_with_pixel(html, outgoing), "text/html")
    for one in files:
        if not one.mime.startswith("image/"):
            mail.attach(one.name, one.content, one.mime)
    return mail


def _pictures(mail: EmailMultiAlternatives, files: Sequence[Attachment], domain: str) -> str:
    """Put pictures into the mail and return the HTML that shows them."""
    shown = []
    for number, one in enumerate(files, start=1):
        picture = MIMEImage(one.content, one.mime.partition("/")[2])
        cid = f"picture{number}@{domain}"
        picture["Content-ID"] = f"<{cid}>"
        picture.add_header("Content-Disposition", "inline", filename=one.name)
        mail.attach(picture)
        shown.append(IMAGE.format(cid=cid, alt=escape(one_line(one.alt, 200))))
    return "".join(shown)


def _with_pixel(html: str, outgoing: EmailOutgoing) -> str:
    """Return the HTML with the picture that tells of its opening, if the reader agreed to that."""
    message = outgoing.message
    if not (outgoing.settings.track_opens and message.may_track and outgoing.channel_id):
        return html
    claim = links.Claim(message.tenant_slug, outgoing.channel_id, outgoing.delivery_id, outgoing.recipient)
    pixel = f'<img src="{escape(links.opened_url(claim))}" alt="" width="1" height="1" style="border:0">'
    before, end, after = html.rpartition("</body>")
    return f"{before}{pixel}{end}{after}" if end else f"{html}{pixel}"


def message_id(outgoing: EmailOutgoing) -> str:
    """Return the same Message-ID for every try of one delivery."""
    return f"<{outgoing.delivery_id}@{_domain(outgoing.settings.from_address)}>"


def _headers(outgoing: EmailOutgoing) -> dict[str, str]:
    message, domain = outgoing.message, _domain(outgoing.settings.from_address)
    headers = {
        "Message-ID": message_id(outgoing),
        "Date": format_datetime(message.created_at.astimezone(UTC)),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-Alert-Tenant": one_line(message.tenant_slug, 80),
        "X-Alert-Status": one_line(message.status, 40),
    }
    if message.group_id:
        # Mails of one group stand together in the reader's list.
        thread = f"<group.{one_line(message.group_id, 60)}@{domain}>"
        headers |= {"References": thread, "In-Reply-To": thread}
    if outgoing.channel_id:
        claim = links.Claim(message.tenant_slug, outgoing.channel_id, message.group_id, outgoing.recipient)
        headers["List-Unsubscribe"] = f"<{links.unsubscribe_url(claim)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if message.severity >= PRIORITY_FROM and message.status == "firing":
        headers |= {"X-Priority": "1", "Importance": "high"}
    return headers


def _sender(settings: EmailSettings) -> str:
    name = one_line(settings.from_name, 80).replace('"', "'").replace("\\", "")
    return f'"{name}" <{settings.from_address}>' if name else settings.from_address


def to_bytes(mail: EmailMultiAlternatives) -> bytes:
    """Return the mail as it goes over the line."""
    raw: bytes = mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own as_bytes
    return raw


def _domain(address: str) -> str:
    return address.rpartition("@")[2].encode("idna").decode("ascii")


def _is_address(address: str) -> bool:
    if not address.isascii() or any(char in address for char in ',;<>"\r\n '):
        return False
    try:
        validate_email(address)
    except ValidationError:
        return False
    return parseaddr(address)[1] == address
