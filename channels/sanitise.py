"""Makes foreign text harmless for the place it is going to be shown in."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

# Controls less tab and newline, bidirectional overrides, and halves of surrogate pairs.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_INVISIBLE = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
# All that `clean` would change, for one look instead of four.
_ODD = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
    r"\u061c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_SPACES = re.compile(r"\s+")
_URL = re.compile(r"https?://[^\s<>\"'`|\\{}^\x00-\x20]+\Z", re.IGNORECASE)
# Slack reads these as marks only where a word begins or ends; my_pod_name is left alone.
_MARKS = re.compile(r"(?<!\w)[*_~](?=\S)|(?<=\S)[*_~](?!\w)")
_SPECIAL = re.compile(r"[&<>`*_~!@#]")
_COMMAND = re.compile(r"\A\s*[!@#]")
ZERO_WIDTH_SPACE = "\u200b"
MAX_URL = 2048


def clean(text: str) -> str:
    """Remove what no reader should see: controls, direction overrides, broken surrogates."""
    if text.isascii() and text.isprintable():
        # Nearly every text: nothing below could change it, and the four searches cost more than all else.
        return text
    if not _ODD.search(text):
        return text
    text = _LINE_ENDS.sub("\n", text)
    text = _SURROGATES.sub("\ufffd", text)
    return _INVISIBLE.sub("", _CONTROLS.sub("", text))


def one_line(text: str, limit: int = 200) -> str:
    """Return the text on one line, cut to a length; fit for a subject or a header."""
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return shorten(_SPACES.sub(" ", clean(text)).strip(), limit)


def shorten(text: str, limit: int) -> str:
    """Cut to a length with an ellipsis as the last character."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "\u2026"


def escape_mrkdwn(text: str) -> str:
    """Return text that Slack shows as it is: no mention, no link, no formatting."""
    if text.isascii() and text.isprintable() and not _SPECIAL.search(text):
        return text
    text = clean(text)
    # Within a template's own <...> a leading ! or @ would ping.
    if _COMMAND.match(text):
        text = ZERO_WIDTH_SPACE + text
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace("`", "\u02cb")
    return _MARKS.sub(lambda found: ZERO_WIDTH_SPACE + found[0] + ZERO_WIDTH_SPACE, text)


@lru_cache(maxsize=1024)
def http_url(url: str) -> str:
    """Return the address when it is a plain web address, else nothing."""
    url = url.strip()
    if len(url) > MAX_URL or not _URL.fullmatch(url):
        return ""
    try:
        return url if urlsplit(url).hostname else ""
    except ValueError:
        return ""
