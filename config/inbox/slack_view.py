"""Draws Slack blocks as HTML, near enough to see what a reader would see."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from html import escape, unescape
from typing import Any

from tests.fakes.slack import SlackMessage

LINK = re.compile(r"&lt;(https?://[^|&\s]*(?:&amp;[^|&\s]*)*)(?:\|(.*?))?&gt;")
MENTION = re.compile(r"&lt;([!@#][^&]*)&gt;")
MARKS = (
    (re.compile(r"```(.+?)```", re.DOTALL), r"<code>\1</code>"),
    (re.compile(r"`([^`\n]+)`"), r"<code>\1</code>"),
    (re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w_])_([^_\n]+)_(?![\w_])"), r"<i>\1</i>"),
    (re.compile(r"(?<![\w~])~([^~\n]+)~(?![\w~])"), r"<s>\1</s>"),
)
QUOTE = re.compile(r"^(?:&gt;|>) ?(.*)$", re.MULTILINE)
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
# Which message is being drawn: its buttons name it.
shown_ts: ContextVar[str] = ContextVar("shown_ts", default="")
# Drawn as dots, since a development machine often has no font for them.
DOTS = {
    "\U0001f534": "red",
    "\U0001f7e0": "orange",
    "\U0001f7e1": "yellow",
    "\U0001f535": "blue",
    "\u2705": "green",
}


def draw_message(message: SlackMessage) -> str:
    """Return a message as it looks now: in its thread, changed, with its buttons."""
    token = shown_ts.set(message.ts)
    try:
        bars = "".join(
            f'<div class="bar" style="border-color:{escape(_colour(bar))}">{draw_blocks(bar.get("blocks", []))}</div>'
            for bar in message.attachments
        )
        body = draw_blocks(message.blocks) or f"<p>{draw_mrkdwn(message.text)}</p>"
    finally:
        shown_ts.reset(token)
    marks = []
    if message.thread_ts:
        marks.append("in the thread, shown in the channel too" if message.is_broadcast else "in the thread")
    if message.edits:
        marks.append(f"changed {message.edits} times" if message.edits > 1 else "changed once")
    mark = f'<p class="context">{", ".join(marks)}</p>' if marks else ""
    place = ' class="inthread"' if message.thread_ts else ""
    return f"<div{place}>{mark}{body}{bars}</div>"


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
        rows = "".join(_press(option["value"], option["text"], "") for option in item.get("options", []))
        return f'<details class="more"><summary class="button">\u2026</summary>{rows}</details>'
    if item.get("value") and not item.get("url"):
        return _press(str(item["value"]), item["text"], str(item.get("style", "")))
    return _draw_button(item)


def _press(value: str, text: dict[str, Any], style: str) -> str:
    return (
        '<form method="post" action="/slack/press">'
        f'<input type="hidden" name="ts" value="{escape(shown_ts.get())}">'
        f'<button class="button {escape(style)}" name="value" value="{escape(value)}">{_text(text)}</button></form>'
    )


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
    "divider": lambda block: "<hr>",
}
