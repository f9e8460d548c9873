"""Builds a mail: its parts, its headers, what is attached, and the bytes that go over the line."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from datetime import UTC
from email.message import Message as Part
from email.mime.image import MIMEImage
from email.mime.nonmultipart import MIMENonMultipart
from email.utils import format_datetime
from typing import Any, Final
from uuid import uuid4

from django.core.mail import EmailMultiAlternatives
from django.utils.html import escape

from channels.adapters.base import Outgoing
from channels.languages import voice_of
from channels.mail import links
from channels.mail.attached import Attachment, attached
from channels.sanitise import clean, one_line

MAX_SUBJECT: Final = 180
PRIORITY_FROM: Final = 40
#: Where the built-in look has its charts; an own template without it has them as files below.
PLACE_OF_CHARTS: Final = '<div class="charts"></div>'
IMAGE: Final = (
    '<img src="cid:{cid}" alt="{alt}" width="544" '
    'style="display:block;width:100%;max-width:544px;height:auto;margin:0 0 12px;border:0;border-radius:7px;">'
)
LINE: Final = 76

MailOutgoing = Outgoing[Any, Any]


class Mail(EmailMultiAlternatives):
    """A mail whose HTML and boundaries are made faster than Python's library makes them.

    Its generator folds, writes and looks through every line of a body. So `to_bytes` gives it a mark in place of
    the HTML, which it replaces in the end, and boundaries that are in no body because nobody can guess them.
    """

    marked: dict[bytes, bytes] | None = None

    def message(self, **options: Any) -> Any:
        """Return the mail with its boundaries."""
        made = super().message(**options)
        for part in made.walk():
            if part.is_multipart():
                part.set_boundary(f"=_{uuid4().hex}")
        return made

    def _create_mime_attachment(self, content: Any, mimetype: str) -> Any:
        if mimetype == "text/html" and self.marked is not None:
            return self._mark(str(content))
        return super()._create_mime_attachment(content, mimetype)  # type: ignore[misc]  # not in Django's stubs

    def _mark(self, html: str) -> Part:
        mark = uuid4().hex
        part = MIMENonMultipart("text", "html", charset="utf-8")
        part["Content-Transfer-Encoding"] = "base64"
        part.set_payload(mark)
        if self.marked is not None:
            self.marked[mark.encode()] = folded(html.encode())
        return part


def to_bytes(mail: EmailMultiAlternatives) -> bytes:
    """Return the mail as it goes over the line."""
    if isinstance(mail, Mail):
        mail.marked = {}
    raw: bytes = mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own as_bytes
    for mark, body in (getattr(mail, "marked", None) or {}).items():
        raw = raw.replace(mark, body, 1)
    return raw


def folded(content: bytes) -> bytes:
    """Return base64 in lines, as RFC 2045 wants them."""
    plain = binascii.b2a_base64(content, newline=False)
    return b"\r\n".join(plain[start : start + LINE] for start in range(0, len(plain), LINE))


def build_mail(outgoing: MailOutgoing) -> EmailMultiAlternatives:
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
    shown = _pictures(mail, [one for one in files if one.mime.startswith("image/")], domain_of(settings.from_address))
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


def _with_pixel(html: str, outgoing: MailOutgoing) -> str:
    """Return the HTML with the picture that tells of its opening, if the reader agreed to that."""
    message = outgoing.message
    if not (outgoing.settings.track_opens and message.may_track and outgoing.channel_id):
        return html
    claim = links.Claim(message.tenant_slug, outgoing.channel_id, outgoing.delivery_id, outgoing.recipient)
    pixel = f'<img src="{escape(links.opened_url(claim))}" alt="" width="1" height="1" style="border:0">'
    before, end, after = html.rpartition("</body>")
    return f"{before}{pixel}{end}{after}" if end else f"{html}{pixel}"


def message_id(outgoing: MailOutgoing) -> str:
    """Return the same Message-ID for every try of one delivery."""
    return f"<{outgoing.delivery_id}@{domain_of(outgoing.settings.from_address)}>"


def _headers(outgoing: MailOutgoing) -> dict[str, str]:
    message, domain = outgoing.message, domain_of(outgoing.settings.from_address)
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


def _sender(settings: Any) -> str:
    name = one_line(settings.from_name, 80).replace('"', "'").replace("\\", "")
    return f'"{name}" <{settings.from_address}>' if name else settings.from_address


def domain_of(address: str) -> str:
    """Return the domain of an address as it is written in headers."""
    return address.rpartition("@")[2].encode("idna").decode("ascii")
