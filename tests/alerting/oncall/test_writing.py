"""Layers as lines people write, refused with a reason where they are not understood; levels said in words."""

from uuid import UUID, uuid4

import pytest

from alerting.escalation import writing as levels
from alerting.oncall import writing as layers
from alerting.oncall.layers import LayerError

ANN, BOB = UUID(int=1), UUID(int=2)
PEOPLE = {ANN: "ann", BOB: "bob"}


@pytest.mark.parametrize(
    "text",
    [
        "All; weekly from 2026-06-01 09:00; ann, bob",
        "Night; every 2 days from 2026-06-01 21:30; bob; only 22:00-06:00; until 2026-12-31 09:00",
        "Half; every 12 hours from 2026-06-01 08:00; ann, bob, ann",
        "Day; daily from 2026-06-01 09:00; ann; only mon-fri 09:00-17:00, sat 10:00-12:00",
    ],
)
def test_layers_come_back_as_they_were_written(text: str) -> None:
    assert layers.to_text(layers.from_text(text, PEOPLE), PEOPLE) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("All", "Line 1: Write name"),
        ("All; weekly from 2026-06-01 09:00; zoe", "no member “zoe”; known are: ann, bob"),
        ("All; weekly from 2026-06-01 09:00; ann; only someday 09:00-17:00", "mon-fri 09:00-17:00"),
        ("All; weekly from 2026-13-01 09:00; ann", "Line 1: month must be"),
        ("A; weekly from 2026-06-01 09:00; ann\nB; fortnightly from 2026-06-01 09:00; ann", "Line 2:"),
        ("All; weekly from 2026-06-01 09:00; ann; maybe", "“maybe” is not understood"),
        ("All; weekly from 2026-06-01 09:00; ann; only 09:00-25:00", "Line 1:"),
    ],
)
def test_layers_that_are_not_understood_say_why(text: str, words: str) -> None:
    with pytest.raises(LayerError, match=words.replace("(", r"\(")):
        layers.from_text(text, PEOPLE)


def test_levels_are_said_in_words() -> None:
    ann, primary, room, gone = (uuid4() for _one in range(4))
    names = {"member": {ann: "ann"}, "schedule": {primary: "Primary"}, "channel": {room: "Ops room"}}

    def target(kind: str, key: UUID, via: str = "") -> dict[str, str]:
        return {"kind": kind, "id": str(key), "via": via}

    stored = [
        {"wait": 0, "targets": [target("schedule", primary)]},
        {"wait": 300, "targets": [target("member", ann, "sms"), target("channel", room)], "importance": "normal"},
        {"wait": 5400, "targets": [target("member", gone)]},
    ]
    assert levels.in_words(stored, names, {"sms": "SMS"}) == [
        "after 0s: who is on call by “Primary”",
        "after 5m: ann by SMS, Ops room, as a normal call",
        "after 1h 30m: somebody or something that is gone",
    ]
    assert levels.in_words([{"nonsense": 1}], names, {}) == []
