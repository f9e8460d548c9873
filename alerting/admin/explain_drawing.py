"""How explanations look in the admin: icons, tones, and messages drawn the way their channel draws them."""

import html
import json
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from alerting.explain import Destination, Explanation, Rendered, Step, StepKind, Verdict

TONES: Final = {
    Verdict.PASSED: "green",
    Verdict.CHANGED: "blue",
    Verdict.NOTED: "grey",
    Verdict.MISSED: "grey",
    Verdict.QUIET: "orange",
    Verdict.FAULT: "red",
}
SIGNS: Final = {
    Verdict.PASSED: "check",
    Verdict.CHANGED: "edit",
    Verdict.NOTED: "info",
    Verdict.MISSED: "close",
    Verdict.QUIET: "notifications_off",
    Verdict.FAULT: "error",
}
ICONS: Final = {
    StepKind.CONFIGURATION: "settings",
    StepKind.DOOR: "login",
    StepKind.IDENTITY: "fingerprint",
    StepKind.NEWS: "fiber_new",
    StepKind.ENRICHMENT: "auto_fix_high",
    StepKind.SCORING: "insights",
    StepKind.SILENCES: "notifications_off",
    StepKind.INHIBITIONS: "call_merge",
    StepKind.MAINTENANCE: "event_busy",
    StepKind.GROUPING: "workspaces",
    StepKind.GROUP: "folder_open",
    StepKind.ROUTE: "account_tree",
    StepKind.TIMERS: "timer",
    StepKind.PEOPLE: "group",
    StepKind.ESCALATION: "phone_in_talk",
    StepKind.MESSAGES: "chat",
    StepKind.HISTORY: "history",
    StepKind.DELIVERIES: "send",
    StepKind.UNHEARD: "voice_over_off",
}
SUMMARY_ICONS: Final = {Verdict.PASSED: "campaign", Verdict.QUIET: "notifications_off", Verdict.FAULT: "error"}

_LINK: Final = re.compile(r"&lt;(https?://[^\s|&]+(?:&amp;[^\s|&]+)*)(?:\|([^\n]*?))?&gt;")
_MARKS: Final = (
    (re.compile(r"```\n?(.*?)```", re.DOTALL), r"<pre>\1</pre>"),
    (re.compile(r"`([^`\n]+)`"), r"<code>\1</code>"),
    (re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w_])_(\S(?:[^_\n]*\S)?)_(?![\w_])"), r"<i>\1</i>"),
    (re.compile(r"(?<![\w~])~(\S(?:[^~\n]*\S)?)~(?![\w~])"), r"<s>\1</s>"),
    (re.compile(r"^&gt; ?(.*)$", re.MULTILINE), r"<blockquote>\1</blockquote>"),
)


class Shown(NamedTuple):
    """A step as the page shows it."""

    step: Step
    icon: str
    tone: str
    is_tree: bool


class Part(NamedTuple):
    """One part of a message; `look` says how the page draws it."""

    name: str
    look: str
    text: str | SafeString


class Drawn(NamedTuple):
    """A message as the page shows it."""

    message: Rendered
    icon: str
    parts: list[Part]


def steps(explanation: Explanation) -> list[Shown]:
    """The steps with icon and colour."""
    return [Shown(one, ICONS[one.kind], TONES[one.verdict], one.kind is StepKind.ROUTE) for one in explanation.steps]


def messages(rendered: Iterable[Rendered]) -> list[Drawn]:
    """The messages, drawn."""
    return [Drawn(one, channel_icon(one.kind), _parts(one)) for one in rendered]


def channel_icon(kind: str) -> str:
    """The icon of a kind of channel."""
    return {"slack": "tag", "email": "mail", "webhook": "webhook"}.get(kind, "send")


def told_chip(one: Destination) -> tuple[str, str]:
    """Word and tone of a destination's answer."""
    if one.is_told and one.held_until:
        return _("told, later"), "orange"
    return (_("told"), "green") if one.is_told else (_("not told"), "red" if one.verdict is Verdict.FAULT else "orange")


def _parts(message: Rendered) -> list[Part]:
    order = sorted(message.parts, key=lambda name: (_ORDER.get(message.types.get(name, ""), 9), name))
    return [_part(name, message.types.get(name, ""), message.parts[name]) for name in order]


_ORDER: Final = {"line": 0, "html": 1, "mrkdwn": 2, "json": 3, "text": 4}


def _part(name: str, kind: str, text: str) -> Part:
    if kind == "mrkdwn":
        return Part(name, "mrkdwn", mrkdwn(text))
    if kind == "json":
        return Part(name, "text", _pretty(text))
    return Part(name, kind if kind in ("line", "html") else "text", text)


def mrkdwn(text: str) -> SafeString:
    """Slack's markup as HTML. Everything is escaped first, so that only our own tags are left."""
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    escaped = html.escape(plain)
    linked = _LINK.sub(_anchor, escaped)
    for pattern, replacement in _MARKS:
        linked = _outside_tags(pattern, replacement, linked)
    return mark_safe(linked)  # noqa: S308  escaped above


def _anchor(found: re.Match[str]) -> str:
    return f'<a href="{found[1]}" rel="noopener noreferrer nofollow" target="_blank">{found[2] or found[1]}</a>'


def _outside_tags(pattern: re.Pattern[str], replacement: str, text: str) -> str:
    """Apply a mark to the text between our anchors, never inside their addresses."""
    pieces = re.split(r"(<a [^>]*>)", text)
    return "".join(piece if piece.startswith("<a ") else pattern.sub(replacement, piece) for piece in pieces)


def _pretty(text: str) -> str:
    try:
        value: Any = json.loads(text)
    except ValueError:
        return text
    return json.dumps(value, indent=2, ensure_ascii=False)
