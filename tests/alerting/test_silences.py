"""Silences: state from time, matching, and what nearly muted."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.matchers import Matcher, parse
from alerting.muting.reasons import MuteKind
from alerting.muting.silences import Silence, Silences, SilenceState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def silence(number: int, text: str, start: timedelta = -HOUR, end: timedelta = HOUR) -> Silence:
    return Silence(UUID(int=number), f"s{number}", parse(text), NOON + start, NOON + end)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (NOON - HOUR - timedelta(microseconds=1), SilenceState.PENDING),
        (NOON - HOUR, SilenceState.ACTIVE),
        (NOON + HOUR - timedelta(microseconds=1), SilenceState.ACTIVE),
        (NOON + HOUR, SilenceState.EXPIRED),
    ],
)
def test_state_follows_from_time(now, state):
    one = silence(1, "team=a")
    assert one.state(now) is state
    assert bool(Silences([one]).muting({"team": "a"}, now)) is (state is SilenceState.ACTIVE)


def test_all_silences_that_mute_are_named_the_longest_first():
    silences = Silences([silence(1, "team=a"), silence(2, 'team=~"a|b"', end=2 * HOUR), silence(3, "team=c")])
    muted = silences.muting({"team": "a"}, NOON)
    assert [(one.kind, one.name, one.until) for one in muted] == [
        (MuteKind.SILENCE, "s2", NOON + 2 * HOUR),
        (MuteKind.SILENCE, "s1", NOON + HOUR),
    ]
    assert muted[0].code == f"silence:{UUID(int=2)}"
    assert "s2" in muted[0].sentence()


def test_near_misses_name_the_matcher_or_the_time():
    silences = Silences(
        [
            silence(1, "team=a, env=prod"),
            silence(2, "team=a", end=-timedelta(minutes=1)),
            silence(3, "team=a", start=timedelta(minutes=1)),
            silence(4, "team=b, env=prod"),
        ]
    )
    misses = silences.near_misses({"team": "a", "env": "stage"}, NOON)
    assert [(miss.name, miss.failed, miss.state) for miss in misses] == [
        ("s1", Matcher("env", "=", "prod"), "active"),
        ("s2", None, "expired"),
        ("s3", None, "pending"),
    ]


texts = st.sampled_from(["", "a=1", "a!=1", 'a=~"1|2"', 'b=~".+"', "a=1, b=2", 'c=""'])
minutes = st.integers(-5, 5)


@given(
    st.lists(st.tuples(texts, minutes, minutes), max_size=20),
    st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "1", "2"])),
    minutes,
)
def test_muting_equals_trying_each_silence(rows, labels, minute):
    now = NOON + timedelta(minutes=minute)
    all_of_them = [
        silence(number, text, timedelta(minutes=start), timedelta(minutes=end))
        for number, (text, start, end) in enumerate(rows)
    ]
    expected = {
        one.id
        for one in all_of_them
        if one.starts_at <= now < one.ends_at and all(matcher.matches(labels) for matcher in one.matchers)
    }
    assert {muted.id for muted in Silences(all_of_them).muting(labels, now)} == expected
