"""Turns: parts of tenants judged side by side, fairly, by whoever holds their models, and by another who must."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from alerting.models import IntakeRequest
from metrics.ingest import SeriesPoints
from metrics.judging import clock, due, engine, live, turns
from metrics.judging.due import Share
from metrics.judging.fitting import fit_some
from metrics.judging.turns import Turn
from metrics.models import JudgingTurn, SeriesDue
from tests.metrics.house import send
from tests.metrics.judging.world import NOW, World
from tests.stack import wait_for


@pytest.fixture(autouse=True)
def _empty_shelf() -> Iterator[None]:
    live.shelf.clear()
    yield
    live.shelf.clear()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PART_SERIES", 4)


def many(world: World, count: int = 12, value: float = 50.0, metric: str = "load", start: int = 0) -> None:
    """So many series with one sample each."""
    at = NOW + np.array([start]) * 60.0
    send(world.tenant, *(SeriesPoints(metric, {"n": str(n)}, "", "gauge", at, np.array([value])) for n in range(count)))


def told(world: World) -> int:
    """How many alerts were handed to the intake."""
    with world.context():
        return sum(IntakeRequest.objects.values_list("accepted", flat=True))


def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    holder = uuid4()
    monkeypatch.setattr(turns, "_holder", lambda: holder)


@pytest.mark.django_db
class TestPlan:
    def test_large_tenants_have_more_parts_and_every_series_is_judged_once(self, small_parts: None) -> None:
        world, other = World(), World()
        for one in (world, other):
            one.threshold()
        many(world, 12)
        many(other, 1)
        assert Counter(turn.tenant_id for turn in turns.plan()) == {world.tenant.pk: 3, other.tenant.pk: 1}
        assert engine.judge_all() == 13
        assert engine.judge_all() == 0
        assert (len(world.findings()), len(other.findings())) == (12, 1)
        assert (told(world), told(other)) == (12, 1)

    def test_no_tenant_has_a_second_turn_before_every_other_had_one(self, small_parts: None) -> None:
        large, small = World(), World()
        many(large, 12)
        for world in (small, large):
            many(world, 1, start=1)
        order = [turn.tenant_id for turn in turns.plan()]
        assert set(order[:2]) == {large.tenant.pk, small.tenant.pk}
        assert order[2:] == [large.tenant.pk] * 2

    def test_who_was_judged_longest_ago_comes_first(self) -> None:
        first, second = World(), World()
        many(first, 1)
        assert engine.judge_all() == 1
        many(first, 1, start=1)
        many(second, 1)
        assert [turn.tenant_id for turn in turns.plan()] == [second.tenant.pk, first.tenant.pk]

    def test_a_part_stays_with_its_process_until_it_has_waited(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World()
        many(world, 1)
        engine.judge_all()
        many(world, 1, start=1)
        assert len(turns.plan()) == 1
        another_process(monkeypatch)
        assert turns.plan() == []
        monkeypatch.setattr(turns, "PATIENCE", 0.0)
        assert len(turns.plan()) == 1
        assert engine.judge_all() == 1

    def test_who_takes_a_part_over_begins_with_a_small_turn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        many(World(), 1)
        (turn,) = turns.plan()
        JudgingTurn.objects.update(size=2_000)
        mine = turns.begin(turn)
        monkeypatch.setattr(turns, "PATIENCE", 0.0)
        another_process(monkeypatch)
        theirs = turns.begin(turn)
        assert mine is not None
        assert theirs is not None
        assert (mine.size, theirs.size) == (250, 125)
        JudgingTurn.objects.update(size=2_000, tries=0)
        again = turns.begin(turn)
        assert again is not None
        assert again.size == 2_000

    @pytest.mark.parametrize(("seconds", "others"), [(1.0, 2), (60.0, 0)])
    def test_a_slow_tenant_has_one_turn_at_a_time(
        self, seconds: float, others: int, small_parts: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = World()
        many(world, 12)
        first = turns.plan()[0]
        JudgingTurn.objects.update(seconds=seconds)
        assert turns.begin(first) is not None
        another_process(monkeypatch)
        assert len(turns.plan()) == others

    def test_turns_follow_their_seconds(self) -> None:
        assert turns.next_size(200, 200, 0.2) == 400
        assert turns.next_size(200, 30, 0.2) == 200
        assert turns.next_size(200, 200, 2.0) == 200
        assert turns.next_size(200, 200, 9.0) == 100
        assert turns.next_size(1, 1, 9.0) == 1


@pytest.mark.django_db
class TestTurn:
    def test_its_statements_do_not_grow_with_series(self) -> None:
        world = World()
        world.threshold()

        def statements(count: int, start: int) -> int:
            many(world, count, 1.0, start=start)
            with CaptureQueriesContext(connection) as captured:
                assert engine.judge_all() == count
            return len(captured)

        few = statements(3, 0)
        assert statements(200, 1) <= few

    def test_what_belongs_together_is_in_one_part(self, small_parts: None) -> None:
        world = World()
        settings = {"above": 0.1, "divide_by": "requests", "on": ["n"], "least": 1}
        world.threshold(metric="errors", kind="ratio", settings=settings)
        many(world, 5, 100.0, "requests")
        many(world, 5, 50.0, "errors")
        many(world, 5, 1.0, "other")
        numbers = set(SeriesDue.objects.values_list("number", flat=True))
        joined = ["errors", "requests"]
        with world.context():
            first, *rest = (set(due.claim(world.tenant.pk, 99, 7_200.0, Share(part, 4), joined)) for part in range(4))
        assert len(first) >= 10
        assert len(first) + sum(map(len, rest)) == len(numbers) == 15
        many(world, 5, 100.0, "requests", start=1)
        many(world, 5, 50.0, "errors", start=1)
        engine.judge_all()
        assert len(world.findings()) == 5

    def test_one_that_never_ends_is_tried_smaller_and_its_series_set_aside_at_last(self) -> None:
        world = World()
        many(world, 3)
        (planned,) = turns.plan()
        sizes = [turns.begin(planned) for _ in range(12)]
        assert [turn.size for turn in sizes if turn] == [250, 125, 62, 31, 15, 7, 3, 1, 1, 1, 1, 1]
        for _ in range(turns.HOPELESS - 12):
            turns.begin(planned)
        assert engine._take(planned) == 1
        assert SeriesDue.objects.count() == 2
        # Whoever comes next begins as ever.
        assert (turns.begin(planned) or planned).size == 250

    def test_a_series_at_fault_is_found_and_the_others_are_judged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World()
        world.threshold()
        many(world, 12)
        bad = min(SeriesDue.objects.values_list("number", flat=True))
        judged = engine._judge

        def stumble(rules: Any, fresh: dict[int, float]) -> None:
            if bad in fresh:
                raise ZeroDivisionError
            judged(rules, fresh)

        monkeypatch.setattr(engine, "_judge", stumble)
        engine.judge_all()
        assert len(world.findings()) == 11

    def test_models_may_keep_the_database_waiting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World()
        world.threshold()
        many(world, 1)
        allowed = []

        def note(*_: object) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SHOW idle_in_transaction_session_timeout")
                allowed.append(cursor.fetchone()[0])

        monkeypatch.setattr(engine, "_judge", note)
        engine.judge_all()
        assert allowed == [due.SILENCE]

    def test_what_could_not_be_committed_was_not_learned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World()
        world.threshold(kind="adaptive", settings={"method": "band"})
        world.store(*[100.0, 101.0] * 100, start=-300)
        engine.judge(world.tenant.pk)
        assert fit_some(world.tenant.pk) == 1
        world.feed(100.0, start=-10)
        assert live.shelf.kept
        world.store(100.0, start=-9)

        def broken(*_: object) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(turns, "end", broken)
        assert engine.judge_all() == 0
        assert not live.shelf.kept


JUDGE = """
import sys, time, django
django.setup()
from metrics.judging import alerts, engine, turns
def pause(news, rules, now, tell=alerts.tell):
    sent = tell(news, rules, now)
    print("told", flush=True)
    sys.stdin.readline()
    return sent
engine.alerts.tell = pause
engine.judge_all()
print("judged", flush=True)
sys.stdin.readline()
"""


class Judge:
    """Another process that stops in the middle of its first turn, when it has told and not committed yet."""

    def __init__(self, env: dict[str, str]) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-c", JUDGE], env=env, stdin=pipe, stdout=pipe)

    def says(self, word: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().decode().strip() == word

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def elsewhere(committed_db: None, service_env: dict[str, str]) -> Iterator[Judge]:
    """A process that begins to judge when a test says so."""
    judge = Judge(service_env)
    yield judge
    judge.kill()


@pytest.fixture
def world(committed_db: None) -> World:
    """Three series beyond their limit, not judged yet."""
    world = World()
    world.threshold()
    many(world, 3, start=50)
    return world


def waiting(tenant_id: UUID) -> int:
    return SeriesDue.objects.filter(tenant_id=tenant_id).count()


@pytest.mark.slow
@pytest.mark.processes
def test_a_process_killed_in_the_middle_loses_nothing_and_nothing_is_told_twice(
    world: World, elsewhere: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere.says("told")
    assert engine.judge_all() == 0, "its part is held"
    elsewhere.kill()
    assert (waiting(world.tenant.pk), world.findings(), told(world)) == (3, [], 0)
    monkeypatch.setattr(turns, "PATIENCE", 0.0)
    wait_for(engine.judge_all, 20)
    assert (waiting(world.tenant.pk), len(world.findings()), told(world)) == (0, 3, 3)
    assert engine.judge_all() == 0
    many(world, 3, start=51)
    assert engine.judge_all() == 3
    assert (len(world.findings()), told(world)) == (3, 3)


@pytest.mark.slow
@pytest.mark.processes
def test_others_are_judged_while_one_tenants_turn_takes_long(world: World, elsewhere: Judge) -> None:
    elsewhere.says("told")
    other = World()
    other.threshold()
    many(other, 5)
    assert engine.judge_all() == 5
    assert (len(other.findings()), world.findings()) == (5, [])
    looked: list[int] = []

    def look() -> None:
        try:
            looked.append(clock.look(world.tenant.pk))
        finally:
            connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    # What looks at the whole tenant waits for its turns to end, and no new one begins.
    turn = Turn(world.tenant.pk, Share(1, 2))
    assert thread.is_alive()
    elsewhere.go_on()
    elsewhere.says("judged")
    thread.join(20)
    assert looked == [0]
    assert turns.begin(turn) is None
    assert (waiting(world.tenant.pk), len(world.findings()), told(world)) == (0, 3, 3)
