"""What a Slack message is made of: the card of a group, an answer in its thread, the digest of a flood."""

from __future__ import annotations

from typing import Any

from channels.adapters.base import Outgoing
from channels.adapters.slack_blocks import build_blocks, build_digest, build_reply, fallback_text
from channels.languages import voice_of
from channels.sandbox.filters import colour
from channels.sanitise import shorten
from channels.slack.values import Signer

MAX_LINE = 300


def card(outgoing: Outgoing[Any, Any], *, with_buttons: bool) -> dict[str, Any]:
    """Return the parent message of a group: its heading, and beside a bar in the severity's colour all the rest."""
    message, title, text = outgoing.message, outgoing.part("title"), outgoing.part("text")
    can_act = with_buttons and outgoing.channel_id and message.group_id
    sign = Signer(outgoing.channel_id, message.group_id) if can_act else None
    heading, *rest = build_blocks(message, title, text, outgoing.rendered.voice, sign)
    # The text of the alert stands in notifications, so it is not said a second time by the attachment.
    attachment = {
        "color": colour(message.severity, message.status),
        "blocks": rest,
        "fallback": shorten(title, MAX_LINE),
    }
    return {"text": fallback_text(title, text), "blocks": [heading], "attachments": [attachment]}


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
