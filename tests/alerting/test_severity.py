"""Severity: order, names and synonyms."""

import pytest

from alerting import severity
from alerting.severity import Severity


def test_levels_are_ordered_small_integers():
    assert [int(level) for level in Severity] == [10, 20, 30, 40]
    assert Severity.CRITICAL > Severity.ERROR > Severity.WARNING > Severity.INFO


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("page", Severity.CRITICAL),
        ("SEV-1", Severity.CRITICAL),
        ("sev 1", Severity.CRITICAL),
        ("P1", Severity.CRITICAL),
        ("Critical", Severity.CRITICAL),
        ("high", Severity.ERROR),
        ("p2", Severity.ERROR),
        ("Warn", Severity.WARNING),
        ("p3", Severity.WARNING),
        ("notice", Severity.INFO),
        ("p5", Severity.INFO),
        (30, Severity.ERROR),
        ("40", Severity.CRITICAL),
    ],
)
def test_synonyms_of_other_tools_are_understood(word, level):
    assert severity.parse(word) is level


@pytest.mark.parametrize("word", ["", None, "purple", 41, True, "x" * 1000, "²", "1" * 30])
def test_unknown_words_are_nothing_rather_than_a_guess(word):
    assert severity.parse(word) is None


def test_each_name_reads_back():
    for level in Severity:
        assert severity.parse(level.label) is level
        assert str(level.title)
    assert [value for value, _ in severity.CHOICES] == [10, 20, 30, 40]
