"""Makes the parts of Slack messages, each within Slack's limits whatever the message holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from slack_sdk.models.blocks import Block, InteractiveElement, TextObject

from channels.adapters.slack_models import Actions, Button, Choice, Context, Header, Marked, Menu, Plain, Section
from channels.languages import Voice, voice_of
from channels.message import Message, is_found
from channels.sandbox.context import counts_text, link_text, sent_reason
from channels.sandbox.filters import emoji
from channels.sanitise import MAX_URL, clean, escape_mrkdwn, http_url, one_line, shorten

MAX_TITLE = 150
MAX_SECTION = 3000
MAX_SECTIONS = 8
MAX_FIELDS, MAX_FIELD = 10, 300
MAX_BUTTONS, MAX_BUTTON = 5, 75
MENU = ("silence_1h", "silence_4h", "silence_until", "assign", "similar")
# What is still worth doing in each state; a resolved group is only looked at.
ACTS = {"firing": ("acknowledge", "resolve", "comment"), "acknowledged": ("unacknowledge", "resolve", "comment")}
# Said of what the service found itself, also when it is over.
VERDICTS = ("useful", "noise")
MAX_FALLBACK = 3000
MAX_VALUE = 75
MAX_DIGEST_TITLE = 120
Sign = Callable[[str], str]


def build_reply(message: Message, text: str, voice: Voice | None = None) -> list[dict[str, Any]]:
    """Return what is said in the thread: what changed, or who did what, and why it is said."""
    voice = voice or voice_of(message, "slack")
    said = [text] if message.kind == "notification" else _news(message, voice)
    blocks: list[Block] = [
        Section(text=Marked(text=piece, verbatim=True))
        for words in said
        for piece in split_text(clean(words), MAX_SECTION)[:MAX_SECTIONS]
    ]
    blocks.append(Context(elements=[context_of(message, voice)]))
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
    key = f"news.{message.reason}_until" if message.until else f"news.{message.reason}"
    who = escape_mrkdwn(one_line(message.actor, 80))
    if who and voice.has(key):
        said = voice.t(key, who=f"*{who}*", until=voice.when(message.until, "full"))
    else:
        said = escape_mrkdwn(sent_reason(message, voice))
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


def fields_of(pairs: Iterable[tuple[str, str]], voice: Voice) -> list[TextObject]:
    """Return names with their values; plain text takes no marks and no mentions, so a label shows as it is."""
    return [
        Plain(text=shorten(voice.t("line.pair", name=one_line(name, 80), value=one_line(value)), MAX_FIELD))
        for name, value in islice(pairs, MAX_FIELDS)
    ]


def context_of(message: Message, voice: Voice) -> Marked:
    """Return the small print: whose alert it is, how many there are, why it is told."""
    counts = counts_text(message, voice)
    words = [message.tenant_name or message.tenant_slug, counts, sent_reason(message, voice)]
    line = "  \u00b7  ".join(escape_mrkdwn(one_line(word)) for word in words if word)
    return Marked(text=line, verbatim=True)


def can_act(message: Message) -> bool:
    """Say whether there is anything left to do about the group."""
    return bool(message.group_id) and message.status in ACTS


def acts_of(
    message: Message, voice: Voice, sign: Sign | None, wanted: Sequence[str] | None = None
) -> dict[str, Any] | None:
    """Return buttons and menu for what makes sense now, or what of it is wanted; None when nothing can be done."""
    if sign is None or not can_act(message):
        return None
    acts = tuple(act for act in ACTS[message.status] if wanted is None or act in wanted)
    menu = tuple(act for act in MENU if wanted is None or act in wanted)
    if not acts and not menu:
        return None
    words = tuple(shorten(voice.t(f"buttons.{act}"), MAX_BUTTON) for act in (*acts, *menu))
    elements = []
    for element, act in zip(_acts_in_words(acts, menu, words), (*acts, ""), strict=False):
        if act:
            elements.append({**element, "value": sign(act)})
        else:
            options = [{**option, "value": sign(one)} for one, option in zip(menu, element["options"], strict=True)]
            elements.append({**element, "options": options})
    return {"type": "actions", "elements": elements}


def verdicts_of(
    message: Message, voice: Voice, sign: Sign | None, wanted: Sequence[str] | None = None
) -> dict[str, Any] | None:
    """Return the buttons that say what a finding was worth, the latest verdict marked; None where nothing was found."""
    chosen = tuple(one for one in VERDICTS if wanted is None or one in wanted)
    if sign is None or not message.group_id or not chosen or not is_found(message):
        return None
    given = {alert.annotations.get("verdict", "") for alert in message.alerts}
    buttons = [
        Button(
            text=Plain(text=shorten(voice.t(f"buttons.{one}"), MAX_BUTTON)),
            action_id=f"act_{one}",
            value=sign(one),
            style="primary" if one in given else None,
        )
        for one in chosen
    ]
    block: dict[str, Any] = Actions(elements=[*buttons]).to_dict()
    return block


@lru_cache(maxsize=256)
def _acts_in_words(acts: tuple[str, ...], menu: tuple[str, ...], words: tuple[str, ...]) -> list[dict[str, Any]]:
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
    if menu:
        options = [Choice(value="x" * MAX_VALUE, text=Plain(text=text)) for text in words[len(acts) :]]
        elements.append(Menu(action_id="menu", options=options))
    block: list[dict[str, Any]] = Actions(elements=elements).to_dict()["elements"]
    return block


def links_of(message: Message, voice: Voice, *, is_first: bool) -> dict[str, Any] | None:
    """Return what opens the group and the links of its alerts; None when there is nothing to open."""
    links: list[tuple[str, str, str | None]] = [(voice.t("buttons.open"), message.group_url, "primary")]
    links += [(link_text(link, voice), link.url, None) for link in message.links]
    elements = []
    for number, (text, url, style) in enumerate(links):
        if safe := http_url(url):
            words = one_line(text, MAX_BUTTON) or voice.t("buttons.link")
            elements.append({**_link_in_words(words, number, style if is_first else None), "url": safe})
    return {"type": "actions", "elements": elements[:MAX_BUTTONS]} if elements else None


@lru_cache(maxsize=512)
def _link_in_words(text: str, number: int, style: str | None) -> dict[str, Any]:
    """A button with an address of the longest kind; messages differ in the addresses alone."""
    url = "https://" + "x" * (MAX_URL - 8)
    return Button(text=Plain(text=text), action_id=f"link_{number}", url=url, style=style).to_dict()
