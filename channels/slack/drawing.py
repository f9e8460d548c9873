"""Draws Slack blocks as HTML, near enough to see what a reader would see."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from html import escape, unescape
from typing import Any

LINK = re.compile(r"&lt;(https?://[^|&\s]*(?:&amp;[^|&\s]*)*)(?:\|(.*?))?&gt;")
MENTION = re.compile(r"&lt;([!@#][^&]*)&gt;")
MARKS = (
    (re.compile(r"```(.+?)```", re.DOTALL), r"<code>\1</code>"),
    (re.compile(r"`([^`\n]+)`"), r"<code>\1</code>"),
    # As at Slack, a mark stands right beside what it marks: a space of no width between them makes it a plain sign.
    (re.compile(r"(?<![\w*])\*(?![\s\u200b])([^*\n]+)(?<![\s\u200b])\*(?![\w*])"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w_])_(?![\s\u200b])([^_\n]+)(?<![\s\u200b])_(?![\w_])"), r"<i>\1</i>"),
    (re.compile(r"(?<![\w~])~(?![\s\u200b])([^~\n]+)(?<![\s\u200b])~(?![\w~])"), r"<s>\1</s>"),
)
QUOTE = re.compile(r"^(?:&gt;|>) ?(.*)$", re.MULTILINE)
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
#: Makes a button that can be pressed of its value, its words as HTML and its style; nobody presses a preview's.
Press = Callable[[str, str, str], str]


def inert(value: str, words: str, style: str) -> str:
    """Draw a button that does nothing."""
    return f'<span class="button {escape(style)}">{words}</span>'


pressing: ContextVar[Press] = ContextVar("pressing", default=inert)
# Drawn as dots, since a development machine often has no font for them.
DOTS = {
    "\U0001f534": "red",
    "\U0001f7e0": "orange",
    "\U0001f7e1": "yellow",
    "\U0001f535": "blue",
    "\u2705": "green",
}


def draw_card(card: dict[str, Any]) -> str:
    """Return text, blocks and coloured bars of a message as Slack's API takes it."""
    bars = "".join(
        f'<div class="bar" style="border-color:{escape(_colour(bar))}">{draw_blocks(bar.get("blocks") or [])}</div>'
        for bar in card.get("attachments") or []
    )
    blocks = draw_blocks(card.get("blocks") or [])
    return (blocks or ("" if bars else f"<p>{draw_mrkdwn(str(card.get('text', '')))}</p>")) + bars


def _colour(attachment: dict[str, Any]) -> str:
    colour = str(attachment.get("color", ""))
    return colour if COLOUR.fullmatch(colour) else "#888888"


def draw_blocks(blocks: list[dict[str, Any]]) -> str:
    """Return the HTML of a list of blocks; an unknown kind shows its name."""
    return "".join(map(_draw_block, blocks))


def draw_mrkdwn(text: str) -> str:
    """Return mrkdwn as HTML; every character of the text is escaped before marks are read."""
    # Slack's own escapes (&amp; &lt; &gt;) name characters, so they are read once after ours.
    drawn = escape(text, quote=True)
    drawn = LINK.sub(_link, drawn)
    drawn = MENTION.sub(r'<mark class="ping">\1</mark>', drawn)
    for pattern, shown in MARKS:
        drawn = pattern.sub(shown, drawn)
    for name in ("amp", "lt", "gt"):
        drawn = drawn.replace(f"&amp;{name};", f"&{name};")
    drawn = QUOTE.sub(r'<span class="quote">\1</span>', drawn)
    return _emoji(drawn).replace("\n", "<br>").replace("</span><br>", "</span>")


def _link(found: re.Match[str]) -> str:
    url = found[1].replace("&amp;amp;", "&amp;")
    return f'<a href="{url}" rel="noreferrer">{found[2] or url}</a>'


def _emoji(text: str) -> str:
    for sign, name in DOTS.items():
        text = text.replace(sign, f'<span class="dot {name}" title="{name}"></span>')
    return text


def _text(item: dict[str, Any]) -> str:
    if item.get("type") == "mrkdwn":
        return draw_mrkdwn(str(item.get("text", "")))
    return _emoji(escape(str(item.get("text", "")))).replace("\n", "<br>")


def _draw_block(block: dict[str, Any]) -> str:
    drawer = DRAWERS.get(str(block.get("type")))
    return drawer(block) if drawer else f"<p>[{escape(str(block.get('type')))}]</p>"


def _draw_section(block: dict[str, Any]) -> str:
    text = f"<p>{_text(block['text'])}</p>" if block.get("text") else ""
    fields = "".join(f"<div>{_text(field)}</div>" for field in block.get("fields", []))
    return text + (f'<div class="fields">{fields}</div>' if fields else "")


def _draw_element(item: dict[str, Any]) -> str:
    if item.get("type") == "overflow":
        rows = "".join(_press(option, "") for option in item.get("options", []))
        return f'<details class="more"><summary class="button">\u2026</summary>{rows}</details>'
    if item.get("value") and not item.get("url"):
        return _press(item, str(item.get("style", "")))
    return _draw_button(item)


def _press(item: dict[str, Any], style: str) -> str:
    return pressing.get()(str(item["value"]), _text(item["text"]), style)


def _draw_image(block: dict[str, Any]) -> str:
    url, alt = str(block.get("image_url", "")), escape(str(block.get("alt_text", "")))
    if not url.startswith(("http://", "https://")):
        return f'<p class="context">{alt}</p>'
    return f'<img class="chart" src="{escape(url)}" alt="{alt}" referrerpolicy="no-referrer">'


def _draw_button(item: dict[str, Any]) -> str:
    url = unescape(str(item.get("url", "")))
    href = f' href="{escape(url)}"' if url.startswith(("http://", "https://")) else ""
    style = escape(str(item.get("style", "")))
    return f'<a class="button {style}"{href} rel="noreferrer">{_text(item["text"])}</a>'


DRAWERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "header": lambda block: f"<h2>{_text(block['text'])}</h2>",
    "section": _draw_section,
    "context": lambda block: f'<p class="context">{" ".join(map(_text, block.get("elements", [])))}</p>',
    "actions": lambda block: f'<div class="actions">{"".join(map(_draw_element, block.get("elements", [])))}</div>',
    "image": _draw_image,
    "divider": lambda block: "<hr>",
}
