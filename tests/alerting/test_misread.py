"""What cannot be read as levels or layers is said in words of the reader's language, with its row."""

from typing import Any

import pytest
from django.utils import translation

from alerting.escalation.plan import PlanError, read_levels
from alerting.oncall.layers import LayerError, check

WHO = {"kind": "member", "id": "01a20a55-8427-71d8-91c0-b85a451f9b4d"}
LEVEL = {"wait": 0, "targets": [WHO]}
LAYER = {"name": "x", "people": [], "unit": "weekly", "starts_at": "2026-11-16T09:00:00"}


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ({}, "Levels are a list of objects."),
        ([LEVEL, 1], "Level 2: It is no object."),
        ([{"targets": [WHO]}], "Level 1: “wait” is missing."),
        ([LEVEL | {"waits": 1}], "Level 1: “waits” is not known here."),
        ([LEVEL | {"wait": "5m"}], "Level 1: “wait” is not written as it must be."),
        (
            [LEVEL, LEVEL | {"targets": [WHO | {"kind": "team"}]}],
            "Level 2: “kind” is one of schedule, member, channel.",
        ),
        ([LEVEL | {"targets": [{"kind": "member"}]}], "Level 1: “id” is missing."),
        ([LEVEL | {"targets": [3]}], "Level 1: “targets” is not written as it must be."),
    ],
)
def test_levels_that_cannot_be_read(stored: Any, words: str) -> None:
    with pytest.raises(PlanError) as refused:
        read_levels(stored)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ("x", "Layers are a list of objects."),
        ([LAYER | {"unit": "fortnightly"}], "Layer 1: “unit” is one of hourly, daily, weekly."),
        ([LAYER, LAYER | {"people": ["ann"]}], "Layer 2: “people” is not written as it must be."),
        ([LAYER | {"restrictions": [{"start": "9 o'clock"}]}], "Layer 1: “start” is not written as it must be."),
    ],
)
def test_layers_that_cannot_be_read(stored: Any, words: str) -> None:
    with pytest.raises(LayerError) as refused:
        check(stored, set())
    assert str(refused.value) == words


def test_the_words_are_the_readers() -> None:
    with translation.override("fr"), pytest.raises(PlanError, match=r"Niveau 1.+wait.+manque"):
        read_levels([{"targets": []}])
