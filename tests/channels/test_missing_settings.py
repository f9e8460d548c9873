"""What is said of a setting that is left out: what to give, whatever the kind of channel."""

import pytest

from channels import registry
from channels.adapters.base import missing
from channels.errors import InvalidSettings


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("slack", {"channel": "This is missing; give a text."}),
        ("email", {"to": "This is missing; give an array.", "from_address": "This is missing; give a text."}),
        ("webhook", {"url": "This is missing; give a text."}),
    ],
)
def test_a_missing_setting_is_told_with_what_it_takes(kind: str, expected: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings) as refused:
        registry.adapter(kind).settings_from({})
    assert refused.value.errors == expected


@pytest.mark.parametrize(
    ("kind", "words"),
    [(int, "a whole number"), (float, "a number"), (bool, "true or false"), (dict, "an object"), (list, "an array")],
)
def test_every_kind_of_field_has_words(kind: type, words: str) -> None:
    assert missing(kind) == f"This is missing; give {words}."
