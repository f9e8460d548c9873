"""Requests that come together share a commit; one that cannot be stored costs its neighbours nothing."""

import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DataError, OperationalError, connection

from alerting.decoding import Decoded
from alerting.intake import accept
from alerting.models import IntakeQueue, IntakeRequest
from alerting.shared_commit import MOST, SharedCommit
from tenants.context import tenant_context
from tenants.principal import system
from tests.alerting.scenes import alert
from tests.factories import make_api

PATIENCE = 10.0


class Writer:
    """Stands for the database: holds the first commit until the line behind it is as long as the test wants."""

    def __init__(self) -> None:
        self.commits: list[list[Any]] = []
        self.is_open = threading.Event()
        self.has_begun = threading.Event()
        self.refuse: Callable[[list[Any]], Exception | None] = lambda rows: None

    def __call__(self, tenant_id: UUID, rows: Sequence[Sequence[object]]) -> None:
        values = [row[0] for row in rows]
        self.commits.append(values)
        self.has_begun.set()
        assert self.is_open.wait(PATIENCE)
        if error := self.refuse(values):
            raise error


class Senders:
    """Threads that store a row each, begun one after the other so that their order is known."""

    def __init__(self, shared: SharedCommit, tenant_id: UUID) -> None:
        self.shared, self.tenant_id = shared, tenant_id
        self.answers: dict[int, Exception | None] = {}
        self._threads: list[threading.Thread] = []

    def start(self, row: int, *, waits_behind: int | None = None) -> None:
        thread = threading.Thread(target=self._store, args=(row,))
        self._threads.append(thread)
        thread.start()
        if waits_behind is not None:
            deadline = threading.Event()
            for _ in range(int(PATIENCE * 1000)):
                if len(self.shared._lines.get(self.tenant_id, ())) == waits_behind:
                    return
                deadline.wait(0.001)
            raise AssertionError("The row did not get into the line.")

    def _store(self, row: int) -> None:
        try:
            self.shared.store(self.tenant_id, [row])
            self.answers[row] = None
        except Exception as error:
            self.answers[row] = error

    def join(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def crowd(writer: Writer, count: int) -> tuple[SharedCommit, Senders]:
    """One row being written and `count` behind it."""
    shared, tenant_id = SharedCommit(writer), uuid4()
    senders = Senders(shared, tenant_id)
    senders.start(0)
    assert writer.has_begun.wait(PATIENCE)
    for number in range(1, count + 1):
        senders.start(number, waits_behind=number)
    return shared, senders


def test_a_row_alone_is_written_at_once() -> None:
    writer = Writer()
    writer.is_open.set()
    SharedCommit(writer).store(uuid4(), ["alone"])
    assert writer.commits == [["alone"]]


def test_what_comes_meanwhile_shares_the_next_commit() -> None:
    writer = Writer()
    shared, senders = crowd(writer, 5)
    writer.is_open.set()
    senders.join()
    assert writer.commits == [[0], [1, 2, 3, 4, 5]]
    assert senders.answers == dict.fromkeys(range(6))
    assert shared._lines == {}


def test_a_long_line_takes_several_commits_and_leaves_nobody_waiting() -> None:
    writer = Writer()
    _shared, senders = crowd(writer, MOST + 3)
    writer.is_open.set()
    senders.join()
    assert [len(rows) for rows in writer.commits] == [1, MOST, 3]
    assert set(senders.answers) == set(range(MOST + 4))


def test_a_row_that_cannot_be_stored_costs_its_neighbours_nothing() -> None:
    writer = Writer()
    writer.refuse = lambda rows: DataError("bad row") if 2 in rows else None
    _shared, senders = crowd(writer, 3)
    writer.is_open.set()
    senders.join()
    assert isinstance(senders.answers[2], DataError)
    assert {row: answer for row, answer in senders.answers.items() if row != 2} == {0: None, 1: None, 3: None}
    assert writer.commits[1:] == [[1, 2, 3], [1], [2], [3]]


def test_a_database_that_is_away_is_said_to_everybody_and_the_door_works_again_after() -> None:
    writer = Writer()
    writer.refuse = lambda rows: OperationalError("away")
    shared, senders = crowd(writer, 2)
    writer.is_open.set()
    senders.join()
    assert [type(senders.answers[row]) for row in range(3)] == [OperationalError] * 3
    assert senders.answers[1] is not senders.answers[2]
    writer.refuse = lambda rows: None
    shared.store(senders.tenant_id, [9])
    assert writer.commits[-1] == [9]


def test_tenants_do_not_wait_for_each_other() -> None:
    slow, quick = uuid4(), uuid4()
    held, begun = threading.Event(), threading.Event()
    written: list[UUID] = []

    def write(tenant_id: UUID, rows: Sequence[Sequence[object]]) -> None:
        if tenant_id == slow:
            begun.set()
            assert held.wait(PATIENCE)
        written.append(tenant_id)

    shared = SharedCommit(write)
    thread = threading.Thread(target=shared.store, args=(slow, ["a"]))
    thread.start()
    assert begun.wait(PATIENCE)
    shared.store(quick, ["b"])
    assert written == [quick]
    held.set()
    thread.join(PATIENCE)
    assert written == [quick, slow]


@pytest.mark.usefixtures("committed_db")
def test_requests_of_many_threads_are_each_stored_once() -> None:
    api = make_api()
    principal = system(api.tenant.pk)
    answers: list[UUID] = []

    def send() -> None:
        try:
            answers.extend(accept(principal, "native", Decoded([alert()], []), trace_id="t").id for _ in range(20))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(answers)) == 120
    with tenant_context(api.tenant.pk):
        assert set(IntakeRequest.objects.values_list("pk", flat=True)) == set(answers)
    assert set(IntakeQueue.objects.filter(tenant_id=api.tenant.pk).values_list("pk", flat=True)) == set(answers)
