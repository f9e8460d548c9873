"""Foreign text is made harmless for where it is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sanitise import clean, escape_mrkdwn, http_url, one_line, shorten

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_clean_text_can_be_encoded_and_holds_no_controls(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert clean(cleaned) == cleaned
    assert not any(ord(char) < 32 and char not in "\n\t" for char in cleaned)
    assert not any(char in cleaned for char in "\u202a\u202e\u2066\u2069\u200f")


@given(ANY_TEXT, st.integers(1, 300))
def test_a_line_has_no_break_and_fits(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1


@given(ANY_TEXT)
def test_escaped_text_has_no_angle_bracket_for_slack(text: str) -> None:
    assert not {"<", ">", "`"} & set(escape_mrkdwn(text))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://",
        "https:// x",
        'https://a"b',
        "//x",
        "http://[",
        "https://a\nb",
        "",
    ],
)
def test_what_is_no_web_address_is_no_link(url: str) -> None:
    assert http_url(url) == ""


def test_a_web_address_is_kept() -> None:
    assert http_url(" https://e.com/a?b=c&d=%20#e ") == "https://e.com/a?b=c&d=%20#e"


def test_shortening_shows_that_something_is_missing() -> None:
    assert shorten("abcdef", 4) == "abc\u2026"
    assert shorten("abc", 3) == "abc"
