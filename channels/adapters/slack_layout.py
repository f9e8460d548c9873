"""Lays out the blocks of a Slack message piece by piece, as the tenant's template or the built-in one says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count, groupby
from typing import Any, Final

import msgspec
from django.conf import settings

from channels.adapters import slack_blocks as made
from channels.adapters.slack_models import Actions, Button, Context, Divider, Header, Image, Marked, Plain, Section
from channels.languages import Voice, voice_of
from channels.message import Message
from channels.sandbox.layout import STANDARD, Piece
from channels.sanitise import clean, escape_mrkdwn, http_url, one_line, shorten

#: Two less than Slack takes, so that there is room for a heading and for saying what was left out.
MAX_BLOCKS: Final = 48
MAX_OWN_BUTTONS: Final = 10
MAX_ALT: Final = 300
#: Under this name an alert says where its chart is drawn.
CHART: Final = "chart_url"
Blocks = list[dict[str, Any]]
Texts = tuple[str, ...] | None


class Card(msgspec.Struct, frozen=True):
    """What a message consists of before it is laid out; `sign` makes the value of a button for an act."""

    message: Message
    title: str
    text: str
    voice: Voice
    sign: made.Sign | None = None
    with_image: bool = True


def build_blocks(
    message: Message,
    title: str,
    text: str,
    voice: Voice | None = None,
    sign: made.Sign | None = None,
    *,
    pieces: Sequence[Piece] = STANDARD,
    with_image: bool = True,
) -> Blocks:
    """Return the blocks that the pieces ask for, in the texts' voice; what Slack would refuse is cut and says so.

    Without `sign` there are only links.
    """
    card = Card(message, title, text, voice or voice_of(message, "slack"), sign, with_image)
    built: Blocks = []
    for kind, group in groupby(pieces, lambda piece: piece.kind):
        if kind == "button":
            built += _own_buttons([piece.texts or () for piece in group])
        elif build := BUILDERS.get(kind):
            for piece in group:
                built += build(card, piece.texts)
    return built if len(built) <= MAX_BLOCKS else _cut(card, built)


def chart_of(message: Message) -> tuple[str, str] | None:
    """Return address and description of the first chart that Slack may show: over https, or drawn by this service."""
    own = f"{settings.PUBLIC_BASE_URL.rstrip('/')}/"
    for alert in message.alerts:
        url = http_url(alert.annotations.get(CHART, ""))
        if url.startswith(("https://", own)):
            words = alert.annotations.get("summary") or alert.labels.get("alertname") or message.title
            return url, one_line(words, MAX_ALT)
    return None


def _cut(card: Card, built: Blocks) -> Blocks:
    """Keep what can be pressed; of the rest the first blocks, and a line that says where to read on."""
    last = [block for block in built[MAX_BLOCKS - 1 :] if block["type"] == "actions"][:3]
    url = http_url(card.message.group_url)
    words = escape_mrkdwn(card.voice.t("buttons.open"))
    more = f"\u2026 <{url.replace('|', '%7C').replace('&', '&amp;')}|{words}>" if url else "\u2026"
    notice = Context(elements=[Marked(text=more, verbatim=True)]).to_dict()
    return [*built[: MAX_BLOCKS - 1 - len(last)], notice, *last]


def _header(card: Card, texts: Texts) -> Blocks:
    text = one_line(card.title if texts is None else texts[0], made.MAX_TITLE) or card.voice.t("line.unnamed")
    return [Header(text=Plain(text=text, emoji=True)).to_dict()]


def _body(card: Card, _texts: Texts) -> Blocks:
    return _paragraphs(card.text)


def _section(_card: Card, texts: Texts) -> Blocks:
    return _paragraphs("\n".join(texts or ()))


def _paragraphs(text: str) -> Blocks:
    pieces = made.split_text(clean(text), made.MAX_SECTION)[: made.MAX_SECTIONS]
    return [Section(text=Marked(text=piece, verbatim=True)).to_dict() for piece in pieces]


def _fields(card: Card, texts: Texts) -> Blocks:
    pairs = card.message.group_labels.items() if texts is None else zip(texts[::2], texts[1::2], strict=False)
    found = made.fields_of(pairs, card.voice)
    return [Section(fields=found).to_dict()] if found else []


def _context(card: Card, texts: Texts) -> Blocks:
    if texts is None:
        return [Context(elements=[made.context_of(card.message, card.voice)]).to_dict()]
    elements = [Marked(text=text, verbatim=True) for text in texts if text.strip()]
    return [Context(elements=elements[:10]).to_dict()] if elements else []


def _image(card: Card, texts: Texts) -> Blocks:
    if not card.with_image:
        return []
    found = chart_of(card.message) if texts is None else (http_url(texts[0]), texts[1])
    if found is None or not found[0]:
        return []
    url, alt = found
    alt = shorten(alt or card.title, MAX_ALT) or card.voice.t("line.unnamed")
    return [Image(image_url=url, alt_text=alt).to_dict()]


def _actions(card: Card, texts: Texts) -> Blocks:
    blocks = (
        made.acts_of(card.message, card.voice, card.sign, texts),
        made.verdicts_of(card.message, card.voice, card.sign, texts),
    )
    return [block for block in blocks if block]


def _links(card: Card, _texts: Texts) -> Blocks:
    is_first = card.sign is None or not made.can_act(card.message)
    block = made.links_of(card.message, card.voice, is_first=is_first)
    return [block] if block else []


def _own_buttons(wanted: Sequence[tuple[str, ...]]) -> Blocks:
    numbers = count()
    buttons = [
        Button(text=Plain(text=one_line(text, made.MAX_BUTTON)), action_id=f"own_{next(numbers)}", url=http_url(url))
        for text, url in (pair for pair in wanted if len(pair) == 2)
        if http_url(url) and text.strip()
    ]
    return [Actions(elements=buttons[:MAX_OWN_BUTTONS]).to_dict()] if buttons else []


BUILDERS: Final[dict[str, Callable[[Card, Texts], Blocks]]] = {
    "header": _header,
    "body": _body,
    "section": _section,
    "fields": _fields,
    "context": _context,
    "image": _image,
    "divider": lambda _card, _texts: [Divider().to_dict()],
    "actions": _actions,
    "links": _links,
}
