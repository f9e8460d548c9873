"""What verdicts prove, when a detector may alert, and which edits its outcomes suggest."""

from datetime import timedelta

import pytest

from metrics.judging.telling import Because, decide
from metrics.models import Threshold
from metrics.trust.outcomes import Outcomes, suggestions
from metrics.trust.precision import Precision


def test_nothing_is_proven_by_nothing() -> None:
    assert (Precision().share, Precision().proven, Precision().is_enough) == (None, 0.0, False)


def test_what_is_proven_grows_with_the_verdicts_and_stays_under_the_share() -> None:
    proven = [Precision(useful=8 * n, noise=2 * n).proven for n in (1, 5, 50)]
    assert proven == sorted(proven)
    assert proven[0] > 0.6
    assert proven[-1] < 0.8


@pytest.mark.parametrize(("useful", "noise", "is_enough"), [(4, 0, False), (5, 0, True), (5, 3, False), (60, 15, True)])
def test_it_takes_enough_verdicts_and_few_of_them_noise(useful: int, noise: int, is_enough: bool) -> None:
    assert Precision(useful, noise, floor=0.7, least=5).is_enough is is_enough


GOOD, BAD = Precision(useful=20), Precision(noise=20)


@pytest.mark.parametrize(
    ("kind", "paging", "quality", "precision", "expected"),
    [
        ("static", "always", 1.0, BAD, (True, Because.ALWAYS, 40, 1.0)),
        ("static", "never", 1.0, GOOD, (False, Because.NEVER, 40, 1.0)),
        ("static", "always", 0.2, GOOD, (True, Because.ALWAYS, 30, 0.2)),
        ("adaptive", "earned", 1.0, GOOD, (True, Because.EARNED, 40, 1.0)),
        ("adaptive", "earned", 1.0, BAD, (False, Because.NOT_EARNED, 40, 1.0)),
        ("adaptive", "always", 0.2, GOOD, (False, Because.POOR_DATA, 40, 0.2)),
    ],
)
def test_who_is_told(
    kind: str, paging: str, quality: float, precision: Precision, expected: tuple[bool, Because, int, float]
) -> None:
    told = decide(kind, paging, 40, certainty=1.0, quality=quality, precision=precision)
    assert (told.is_told, told.because, told.severity, told.confidence) == expected


def test_what_is_ignored_is_to_be_less_severe_and_noise_less_sensitive() -> None:
    threshold = Threshold(kind="adaptive", severity=30, settings={"sensitivity": 0.5}, paging="always")
    ignored = Outcomes(told=10, acted_on=1, open=1)
    # No wait is suggested without a look at how long its findings lasted.
    found = {one.code: one.changes for one in suggestions(threshold, ignored, BAD, lengths=[])}
    assert found["lower_severity"] == {"severity": 20}
    assert found["less_sensitive"]["settings"]["sensitivity"] == 0.35
    assert found["earn"] == {"paging": "earned"}
    assert suggestions(threshold, Outcomes(told=10, acted_on=9), GOOD, lengths=[]) == []


def test_what_is_over_soon_is_to_last_longer_first() -> None:
    threshold = Threshold(kind="static", severity=10, hold=timedelta(minutes=1))
    lengths = [timedelta(minutes=2)] * 4 + [timedelta(hours=1)]
    (wait,) = suggestions(threshold, Outcomes(told=10, acted_on=1), GOOD, lengths=lengths)
    assert wait.changes == {"hold": 180}
