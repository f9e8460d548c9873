"""The lines in which people write layers and levels: read back as they were written, refused with a reason."""

from uuid import UUID

import msgspec
import pytest

from alerting.escalation import writing as levels
from alerting.escalation.plan import PlanError
from alerting.oncall import writing as layers
from alerting.oncall.layers import LayerError

ANN, BOB, PRIMARY, ROOM = (UUID(int=number) for number in range(1, 5))
PEOPLE = {ANN: "ann", BOB: "bob"}
NAMES = {"schedule": {PRIMARY: "Primary, day"}, "member": PEOPLE, "channel": {ROOM: "Ops room"}}


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


@pytest.mark.parametrize(
    "text",
    [
        "0s; schedule: Primary, day\n5m; member: ann via sms; channel: Ops room\n1h 30m; member: bob; normal",
    ],
)
def test_levels_come_back_as_they_were_written(text: str) -> None:
    found = levels.from_text(text, NAMES)
    assert [level.wait for level in found] == [0, 300, 5400]
    assert levels.to_text(msgspec.to_builtins(found), NAMES) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("member: ann", "Line 1: Begin with how long"),
        ("5m; somebody", "“somebody” is not understood"),
        ("5m; member: zoe", "no member “zoe” here; known are: ann, bob"),
        ("0m; member: ann\n5x; member: bob", "Line 2: Begin"),
    ],
)
def test_levels_that_are_not_understood_say_why(text: str, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        levels.from_text(text, NAMES)
