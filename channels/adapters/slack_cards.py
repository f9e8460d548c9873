"""What a Slack message is made of: the card of a group, an answer in its thread, the digest of a flood."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from channels.adapters.base import Outgoing
from channels.adapters.slack_blocks import Sign, build_digest, build_reply, fallback_text
from channels.adapters.slack_layout import build_blocks, chart_of
from channels.languages import voice_of
from channels.message import Message, Rendered
from channels.sandbox import layout
from channels.sandbox.filters import colour
from channels.sandbox.layout import STANDARD
from channels.sanitise import http_url, shorten
from channels.slack.values import Signer

MAX_LINE = 300


def cards(outgoing: Outgoing[Any, Any], *, with_buttons: bool) -> Iterator[dict[str, Any]]:
    """Yield the card, then what is left of it should Slack refuse that: without its picture, and bare."""
    yield card(outgoing, with_buttons=with_buttons)
    if chart_of(outgoing.message) is not None or layout.read(outgoing.part("blocks")) != STANDARD:
        yield card(outgoing, with_buttons=with_buttons, is_plain=True)
    yield bare(outgoing)


def card(outgoing: Outgoing[Any, Any], *, with_buttons: bool, is_plain: bool = False) -> dict[str, Any]:
    """Return the parent message of a group; a plain one has the built-in layout and no picture."""
    message = outgoing.message
    can_act = with_buttons and outgoing.channel_id and message.group_id
    sign = Signer(outgoing.channel_id, message.group_id) if can_act else None
    return lay_out(message, outgoing.rendered, sign, is_plain=is_plain)


def lay_out(message: Message, rendered: Rendered, sign: Sign | None, *, is_plain: bool = False) -> dict[str, Any]:
    """Return what Slack's API takes: the heading, and beside a bar in the severity's colour all the rest."""
    title, text = rendered.parts.get("title", ""), rendered.parts.get("text", "")
    pieces = STANDARD if is_plain else layout.read(rendered.parts.get("blocks", "")) or STANDARD
    blocks = build_blocks(message, title, text, rendered.voice, sign, pieces=pieces, with_image=not is_plain)
    is_headed = bool(blocks) and blocks[0]["type"] == "header"
    heading, rest = (blocks[:1], blocks[1:]) if is_headed else ([], blocks)
    shown: dict[str, Any] = {"text": fallback_text(title, text), "blocks": heading, "attachments": []}
    if rest:
        # The text of the alert stands in notifications, so it is not said a second time by the attachment.
        bar = {"color": colour(message.severity, message.status), "blocks": rest, "fallback": shorten(title, MAX_LINE)}
        shown["attachments"] = [bar]
    return shown


def bare(outgoing: Outgoing[Any, Any]) -> dict[str, Any]:
    """Return the message as nothing but text: Slack has little to refuse in it."""
    text = fallback_text(outgoing.part("title"), outgoing.part("text"))
    url = http_url(outgoing.message.group_url)
    return {"text": f"{text}\n<{url.replace('&', '&amp;')}>" if url else text, "blocks": [], "attachments": []}


def reply(outgoing: Outgoing[Any, Any]) -> dict[str, Any]:
    """Return what goes into the thread."""
    title = outgoing.part("title")
    blocks = build_reply(outgoing.message, outgoing.part("text") or title, outgoing.rendered.voice)
    return {"text": fallback_text(title, ""), "blocks": blocks}


def digest(outgoing: Outgoing[Any, Any]) -> dict[str, Any]:
    """Return the one message that lists all that waited."""
    voice = outgoing.rendered.voice or voice_of(outgoing.message, "slack")
    blocks = build_digest(outgoing.digest, voice)
    return {"text": blocks[0]["text"]["text"], "blocks": blocks}
