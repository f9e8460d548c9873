"""Builds Slack blocks that fit Slack's limits whatever the message holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from slack_sdk.models.blocks import Block, InteractiveElement, TextObject

from channels.adapters.slack_models import Actions, Button, Choice, Context, Header, Marked, Menu, Plain, Section
from channels.languages import Voice, voice_of
from channels.message import Message
from channels.sandbox.context import counts_text, link_text, sent_reason
from channels.sandbox.filters import emoji
from channels.sanitise import clean, escape_mrkdwn, http_url, one_line, shorten

MAX_TITLE = 150
MAX_SECTION = 3000
MAX_SECTIONS = 8
MAX_FIELDS, MAX_FIELD = 10, 300
MAX_BUTTONS, MAX_BUTTON = 5, 75
MENU = ("silence_1h", "silence_4h", "silence_until", "assign", "similar")
# What is still worth doing in each state; a resolved group is only looked at.
ACTS = {"firing": ("acknowledge", "resolve", "comment"), "acknowledged": ("unacknowledge", "resolve", "comment")}
MAX_FALLBACK = 3000
MAX_VALUE = 75
MAX_DIGEST_TITLE = 120
Sign = Callable[[str], str]


def build_blocks(
    message: Message, title: str, text: str, voice: Voice | None = None, sign: Sign | None = None
) -> list[dict[str, Any]]:
    """Return title, text, the labels of the group, a line of context and what can be done, in the texts' voice.

    `sign` makes the value of a button for an act; without it there are only links.
    """
    voice = voice or voice_of(message, "slack")
    heading = one_line(title, MAX_TITLE) or voice.t("line.unnamed")
    blocks: list[Block] = [Header(text=Plain(text=heading, emoji=True))]
    blocks += [
        Section(text=Marked(text=piece, verbatim=True)) for piece in split_text(clean(text), MAX_SECTION)[:MAX_SECTIONS]
    ]
    if fields := _fields(message, voice):
        blocks.append(Section(fields=fields))
    blocks.append(Context(elements=[_context(message, voice)]))
    built = [block.to_dict() for block in blocks]
    if acts := _acts(message, voice, sign):
        built.append(acts)
    if buttons := _buttons(message, voice, is_first=acts is None):
        built.append(Actions(elements=buttons).to_dict())
    return built


def build_reply(message: Message, text: str, voice: Voice | None = None) -> list[dict[str, Any]]:
    """Return what is said in the thread: what changed, or who did what, and why it is said."""
    voice = voice or voice_of(message, "slack")
    said = [text] if message.kind == "notification" else _news(message, voice)
    blocks: list[Block] = [
        Section(text=Marked(text=piece, verbatim=True))
        for words in said
        for piece in split_text(clean(words), MAX_SECTION)[:MAX_SECTIONS]
    ]
    blocks.append(Context(elements=[_context(message, voice)]))
    return [block.to_dict() for block in blocks]


def build_digest(messages: Sequence[Message], voice: Voice) -> list[dict[str, Any]]:
    """Return one line for each message that waited; all of them, whatever their number."""
    title = shorten(voice.t("digest.title", n=len(messages)), MAX_TITLE)
    text = "\n".join(_digest_line(message, voice) for message in messages)
    blocks: list[Block] = [Header(text=Plain(text=title, emoji=True))]
    blocks += [Section(text=Marked(text=piece, verbatim=True)) for piece in split_text(text, MAX_SECTION)]
    blocks.append(Context(elements=[Marked(text=voice.t("digest.why"), verbatim=True)]))
    return [block.to_dict() for block in blocks]


def _digest_line(message: Message, voice: Voice) -> str:
    title = escape_mrkdwn(one_line(message.title, MAX_DIGEST_TITLE)) or voice.t("line.unnamed")
    url = http_url(message.group_url)
    link = f"<{url.replace('|', '%7C').replace('&', '&amp;')}|{title}>" if url else title
    counts = escape_mrkdwn(counts_text(message, voice))
    words = [voice.status(message.status), voice.severity(message.severity, message.severity_name), counts]
    return f"{emoji(message.severity, message.status)} {link}  {', '.join(word for word in words if word)}"


def _news(message: Message, voice: Voice) -> list[str]:
    """Say who did what; what they wrote is quoted, each line of it."""
    key = f"news.{message.reason}"
    who = escape_mrkdwn(one_line(message.actor, 80))
    said = voice.t(key, who=f"*{who}*") if who and voice.has(key) else escape_mrkdwn(sent_reason(message, voice))
    note = "\n".join(f"> {line}" for line in escape_mrkdwn(message.note).splitlines())
    return [f"{said}\n{note}" if note else said]


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
        Plain(text=shorten(voice.t("line.pair", name=one_line(name, 80), value=one_line(value)), MAX_FIELD))
        for name, value in list(message.group_labels.items())[:MAX_FIELDS]
    ]


def _context(message: Message, voice: Voice) -> Marked:
    counts = counts_text(message, voice)
    words = [message.tenant_name or message.tenant_slug, counts, sent_reason(message, voice)]
    line = "  \u00b7  ".join(escape_mrkdwn(one_line(word)) for word in words if word)
    return Marked(text=line, verbatim=True)


def _acts(message: Message, voice: Voice, sign: Sign | None) -> dict[str, Any] | None:
    acts = ACTS.get(message.status, ())
    if sign is None or not acts or not message.group_id:
        return None
    words = tuple(shorten(voice.t(f"buttons.{act}"), MAX_BUTTON) for act in (*acts, *MENU))
    *buttons, menu = _acts_in_words(acts, words)
    elements = [{**button, "value": sign(act)} for act, button in zip(acts, buttons, strict=True)]
    options = [{**option, "value": sign(act)} for act, option in zip(MENU, menu["options"], strict=True)]
    return {"type": "actions", "elements": [*elements, {**menu, "options": options}]}


@lru_cache(maxsize=256)
def _acts_in_words(acts: tuple[str, ...], words: tuple[str, ...]) -> list[dict[str, Any]]:
    """Buttons and menu in one language, with values of the longest kind; messages differ in the values alone."""
    elements: list[InteractiveElement] = [
        Button(
            text=Plain(text=text),
            action_id=f"act_{act}",
            value="x" * MAX_VALUE,
            style="primary" if act == "acknowledge" else None,
        )
        for act, text in zip(acts, words[: len(acts)], strict=True)
    ]
    options = [Choice(value="x" * MAX_VALUE, text=Plain(text=text)) for text in words[len(acts) :]]
    elements.append(Menu(action_id="menu", options=options))
    block: list[dict[str, Any]] = Actions(elements=elements).to_dict()["elements"]
    return block


def _buttons(message: Message, voice: Voice, *, is_first: bool) -> list[InteractiveElement]:
    style = "primary" if is_first else None
    links: list[tuple[str, str, str | None]] = [(voice.t("buttons.open"), message.group_url, style)]
    links += [(link_text(link, voice), link.url, None) for link in message.links]
    buttons: list[InteractiveElement] = [
        Button(
            text=Plain(text=one_line(text, MAX_BUTTON) or voice.t("buttons.link")),
            action_id=f"link_{number}",
            url=http_url(url),
            style=style,
        )
        for number, (text, url, style) in enumerate(links)
        if http_url(url)
    ]
    return buttons[:MAX_BUTTONS]
