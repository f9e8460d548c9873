"""Builds Slack blocks that fit Slack's limits whatever the message holds."""

from __future__ import annotations

from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    HeaderBlock,
    InteractiveElement,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
    TextObject,
)

from channels.languages import Voice, voice_of
from channels.message import Message
from channels.sandbox.context import counts_text, link_text, sent_reason
from channels.sanitise import clean, escape_mrkdwn, http_url, one_line, shorten

MAX_TITLE = 150
MAX_SECTION = 3000
MAX_SECTIONS = 8
MAX_FIELDS, MAX_FIELD = 10, 300
MAX_BUTTONS, MAX_BUTTON = 5, 75
MAX_FALLBACK = 3000


def build_blocks(message: Message, title: str, text: str, voice: Voice | None = None) -> list[dict[str, Any]]:
    """Return title, text, the labels of the group, a line of context and the links, in the voice of the texts."""
    voice = voice or voice_of(message, "slack")
    heading = one_line(title, MAX_TITLE) or voice.t("line.unnamed")
    blocks: list[Block] = [HeaderBlock(text=PlainTextObject(text=heading, emoji=True))]
    blocks += [
        SectionBlock(text=MarkdownTextObject(text=piece, verbatim=True))
        for piece in split_text(clean(text), MAX_SECTION)[:MAX_SECTIONS]
    ]
    if fields := _fields(message, voice):
        blocks.append(SectionBlock(fields=fields))
    blocks.append(ContextBlock(elements=[_context(message, voice)]))
    if buttons := _buttons(message, voice):
        blocks.append(ActionsBlock(elements=buttons))
    return [block.to_dict() for block in blocks]


def fallback_text(title: str, text: str) -> str:
    """Return what notifications and screen readers say."""
    return shorten(f"{escape_mrkdwn(one_line(title, MAX_TITLE))}\n{clean(text)}", MAX_FALLBACK)


def split_text(text: str, limit: int) -> list[str]:
    """Cut text into pieces that fit, between lines where a line fits."""
    pieces: list[str] = []
    piece = ""
    for line in text.strip().splitlines():
        while len(line) > limit:
            cut = _cut_before_entity(line, limit)
            pieces, piece, line = [*pieces, piece, line[:cut]], "", line[cut:]
        if len(piece) + len(line) + 1 > limit:
            pieces, piece = [*pieces, piece], ""
        piece = f"{piece}\n{line}" if piece else line
    return [found for found in [*pieces, piece] if found.strip()]


def _cut_before_entity(line: str, limit: int) -> int:
    """Never cut through &amp; or a link, which would show or open something else."""
    opened = max(line.rfind("&", limit - 5, limit), line.rfind("<", 0, limit))
    if opened > 0 and not ({";", ">"} & set(line[opened:limit])):
        return opened
    return limit


def _fields(message: Message, voice: Voice) -> list[TextObject]:
    # Plain text takes no marks and no mentions, so a label shows as it is.
    return [
        PlainTextObject(text=shorten(voice.t("line.pair", name=one_line(name, 80), value=one_line(value)), MAX_FIELD))
        for name, value in list(message.group_labels.items())[:MAX_FIELDS]
    ]


def _context(message: Message, voice: Voice) -> MarkdownTextObject:
    counts = counts_text(message, voice)
    words = [message.tenant_name or message.tenant_slug, counts, sent_reason(message, voice)]
    line = "  \u00b7  ".join(escape_mrkdwn(one_line(word)) for word in words if word)
    return MarkdownTextObject(text=line, verbatim=True)


def _buttons(message: Message, voice: Voice) -> list[InteractiveElement]:
    links: list[tuple[str, str, str | None]] = [(voice.t("buttons.open"), message.group_url, "primary")]
    links += [(link_text(link, voice), link.url, None) for link in message.links]
    buttons: list[InteractiveElement] = [
        ButtonElement(
            text=PlainTextObject(text=one_line(text, MAX_BUTTON) or voice.t("buttons.link")),
            action_id=f"link_{number}",
            url=http_url(url),
            style=style,
        )
        for number, (text, url, style) in enumerate(links)
        if http_url(url)
    ]
    return buttons[:MAX_BUTTONS]
