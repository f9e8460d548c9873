"""Makes the text of an SMS: the rendered words, a short link, how to reply, and the code that finds it again."""

from __future__ import annotations

import base64
import hashlib
import re
from uuid import UUID

from django.conf import settings

from channels.message import Message
from channels.sms.fitting import Fitted, fit

CODE_DIGITS = 5
MAX_LONG_LINK = 60
UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def compose(message: Message, text: str, delivery_id: str, *, max_segments: int = 1, replies: bool = False) -> Fitted:
    """Return what goes out, in at most `max_segments`; one delivery always gives the same text."""
    return fit(text, ending(message, delivery_id, replies=replies), max_segments)


def ending(message: Message, delivery_id: str, *, replies: bool) -> str:
    """Return link and code; the code ends the text, and a reply may name it."""
    how = "1=ACK 2=RES" if replies and message.group_id and message.status != "resolved" else ""
    return " ".join(piece for piece in (link_to(message), how, f"[{code_of(delivery_id)}]") if piece)


def code_of(delivery_id: str) -> str:
    """Return the five digits that stand for a delivery."""
    digest = hashlib.blake2b(delivery_id.encode(), digest_size=8).digest()
    return f"{int.from_bytes(digest) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def link_to(message: Message) -> str:
    """Return the short address of the group; a long one is left out rather than paid for."""
    base = getattr(settings, "PUBLIC_BASE_URL", "")
    if base and message.group_url.startswith(f"{base}/") and UUID_TEXT.fullmatch(message.group_id):
        return f"{base}/g/{short_id(UUID(message.group_id))}"
    return message.group_url if len(message.group_url) <= MAX_LONG_LINK else ""


def short_id(group_id: UUID) -> str:
    """Return an id in 22 characters that need no escaping in an address."""
    return base64.urlsafe_b64encode(group_id.bytes).rstrip(b"=").decode()


def long_id(text: str) -> UUID:
    """Read what `short_id` wrote; raises ValueError for anything else."""
    if len(text) != 22:
        raise ValueError("not a short id")
    found = UUID(bytes=base64.b64decode(f"{text}==", altchars=b"-_", validate=True))
    if short_id(found) != text:
        raise ValueError("not a short id")
    return found
