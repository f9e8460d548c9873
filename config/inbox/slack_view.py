"""Draws what the fake of Slack holds, with buttons that work."""

from __future__ import annotations

from contextvars import ContextVar
from html import escape

from channels.slack.drawing import draw_card, pressing
from tests.fakes.slack import SlackMessage

# Which message is being drawn: its buttons name it.
shown_ts: ContextVar[str] = ContextVar("shown_ts", default="")


def draw_message(message: SlackMessage) -> str:
    """Return a message as it looks now: in its thread, changed, with its buttons."""
    token, press = shown_ts.set(message.ts), pressing.set(_press)
    try:
        body = draw_card({"text": message.text, "blocks": message.blocks, "attachments": message.attachments})
    finally:
        pressing.reset(press)
        shown_ts.reset(token)
    marks = []
    if message.thread_ts:
        marks.append("in the thread, shown in the channel too" if message.is_broadcast else "in the thread")
    if message.edits:
        marks.append(f"changed {message.edits} times" if message.edits > 1 else "changed once")
    mark = f'<p class="context">{", ".join(marks)}</p>' if marks else ""
    place = ' class="inthread"' if message.thread_ts else ""
    return f"<div{place}>{mark}{body}</div>"


def _press(value: str, words: str, style: str) -> str:
    return (
        '<form method="post" action="/slack/press">'
        f'<input type="hidden" name="ts" value="{escape(shown_ts.get())}">'
        f'<button class="button {escape(style)}" name="value" value="{escape(value)}">{words}</button></form>'
    )
