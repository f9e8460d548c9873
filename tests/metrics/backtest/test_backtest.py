"""A backtest says what judging would have said, for a threshold as it is and as it might be."""

import time
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from alerting.models import Alert
from metrics.backtest import compare
from metrics.backtest.episodes import episodes
from metrics.judging.fitting import fit_some
from metrics.judging.rules import rule_of
from metrics.judging.states import moment
from metrics.judging.tracks import Track
from metrics.thresholds.conditions import read_condition
from metrics.thresholds.phases import Patience
from tests.metrics.judging.world import NOW, World

pytestmark = pytest.mark.django_db
DAY = 1_440


def test_episodes_know_their_peak_and_whether_they_are_over() -> None:
    at = np.arange(10) * 60.0
    value = np.array([1, 1, 12, 15, 13, 1, 1, 11, 1, 14.0])
    track = Track(at, value, value > 10, value <= 10)
    found = episodes(track, Patience(), -1.0)
    assert [(one.raised / 60, one.ended and one.ended / 60, one.peak) for one in found] == [
        (2, 5, 15), (7, 8, 11), (9, None, 14),
    ]  # fmt: skip


def test_what_it_would_have_raised_is_what_it_raised() -> None:
    world = World()
    threshold = world.threshold(hold=timedelta(minutes=1), settings={"above": 10, "clear_above": 8})
    values = np.random.default_rng(3).normal(10, 4, 110)
    for first in range(0, 110, 7):
        world.feed(*values[first : first + 7], start=first - 55, service="shop")
    with world.context():
        answer = compare(rule_of(threshold), None, NOW - 86_400, NOW + 3_600)
    (subject,) = answer.subjects
    told = [(one.began_at.timestamp(), one.raised_at.timestamp()) for one in world.findings()]
    assert len(told) > 3
    assert [(one.began, one.raised) for one in subject.now.found] == told
    assert [one.began for one in subject.was] == [began for began, _raised in told]


def test_a_changed_value_is_seen_beside_the_old_one() -> None:
    world = World()
    threshold = world.threshold(settings={"above": 10})
    world.feed(1, 11, 1, 21, 1, service="shop")
    with world.context():
        Alert.objects.create(
            fingerprint=b"x" * 16, status="firing", severity=20, annotations={},
            labels={"alertname": "Shop down", "service": "shop"}, starts_at=moment(NOW + 180),
        )  # fmt: skip
        rule = rule_of(threshold)
        changed = replace(rule, condition=read_condition("static", {"above": 20}))
        answer = compare(rule, changed, NOW - 3_600, NOW + 3_600)
    assert (answer.total("now"), answer.total("changed"), answer.total("was")) == (2, 1, 2)
    assert [was.title for was in answer.subjects[0].was if not was.is_own] == ["Shop down"]


def test_a_month_of_minutes_takes_less_than_five_seconds() -> None:
    world = World()
    static = world.threshold()
    learned = world.threshold("Unusual", kind="adaptive", settings={"method": "detector"})
    minutes = 30 * DAY
    values = 5 + np.sin(np.arange(minutes) / DAY * 2 * np.pi) + np.random.default_rng(1).normal(0, 0.3, minutes)
    values[-5_000:-4_990] = 30.0
    world.store(*values, start=60 - minutes)
    with world.context():
        for threshold, most in ((static, 5.0), (learned, 5.0)):
            started = time.process_time()
            answer = compare(rule_of(threshold), None, NOW - 30 * 86_400, NOW + 3_600)
            assert time.process_time() - started < most
            spike = NOW + (60 - 5_000) * 60
            assert any(one.overlaps(spike, spike + 600, 60) for one in answer.subjects[0].now.found)
            assert len(answer.subjects[0].at) <= 720


def test_a_disk_that_fills_up_is_told_ahead_and_silence_is_seen() -> None:
    world = World()
    ahead = world.threshold("Disk", kind="forecast", settings={"above": 90, "horizon": 2 * 86_400}, metric="disk")
    gone = world.threshold("Gone", kind="absence", settings={"after": 600}, metric="disk")
    minutes = 6 * DAY
    disk = 20 + np.arange(minutes) / minutes * 65 + np.random.default_rng(2).normal(0, 0.2, minutes)
    world.store(*disk[: 3 * DAY], start=-minutes, metric="disk")
    world.store(*disk[3 * DAY + 30 :], start=-minutes + 3 * DAY + 30, metric="disk")
    with world.context():
        found = compare(rule_of(ahead), None, NOW - 6 * 86_400, NOW).subjects[0].now.found
        silent = compare(rule_of(gone), None, NOW - 6 * 86_400, NOW).subjects[0].now.found
    assert len(found) == 1
    crossing = NOW - minutes * 60 + minutes * 60 * (70 / 65)
    assert found[0].ended is None
    assert 0.5 * 86_400 < crossing - found[0].raised < 3 * 86_400
    assert [(one.ended or 0) - one.raised for one in silent] == [pytest.approx(31 * 60 - 600)]


def test_backtesting_changes_nothing() -> None:
    world = World()
    threshold = world.threshold("Unusual", kind="adaptive", settings={"method": "band"})
    world.feed(*[5.0] * 30)
    fit_some(world.tenant.pk)
    with world.context():
        compare(rule_of(threshold), None, NOW - 86_400, NOW + 3_600)
    assert world.findings() == []
