"""Which links an alert may carry."""

import re

from alerting.decoding.limits import MAX_URL

# Blanks, quotes and angle brackets would end the link in one channel or another; a user part deceives the reader.
_LINK = re.compile(r"https?://[^\s/?#@\"<>\\\x00-\x20\x7f]+(?:[/?#][^\s\"<>\\\x00-\x20\x7f]*)?", re.IGNORECASE)


def is_link(url: str) -> bool:
    """Say whether this is a whole http or https address of bearable length."""
    return len(url) <= MAX_URL and _LINK.fullmatch(url) is not None and url.isprintable()
