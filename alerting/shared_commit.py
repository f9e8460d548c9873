"""Group commit at the door: small requests that come while one is being committed share the next commit.

A commit costs the web process, PostgreSQL and the disk much the same for one row as for eight. The first thread
of a tenant writes at once; those that arrive meanwhile wait, and one of them writes for all. Nobody waits for
company, and no row waits longer than the commit that was under way when it came. Tenants do not share commits.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from django.db import DataError, IntegrityError

#: Rows a commit; more than a web process has threads does not come together.
MOST: Final = 64


class Ticket:
    """One row on its way, and how its thread hears of it."""

    __slots__ = ("error", "is_settled", "row", "turn")

    def __init__(self, row: Sequence[object]) -> None:
        self.row = row
        self.turn = threading.Event()
        self.is_settled = False
        self.error: Exception | None = None


class SharedCommit:
    """Writes rows through `write(tenant_id, rows)`, which commits them all or none."""

    def __init__(self, write: Callable[[UUID, Sequence[Sequence[object]]], None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        # A tenant stands here while one of its threads writes; in its line are those that wait.
        self._lines: dict[UUID, list[Ticket]] = {}

    def store(self, tenant_id: UUID, row: Sequence[object]) -> None:
        """Return when the row is committed; raise what the database said otherwise."""
        ticket = Ticket(row)
        with self._lock:
            line = self._lines.get(tenant_id)
            if line is None:
                self._lines[tenant_id] = []
            else:
                line.append(ticket)
        if line is not None:
            ticket.turn.wait()
        if not ticket.is_settled:
            self._lead(tenant_id, ticket)
        if ticket.error is not None:
            # Each thread raises an exception of its own: a shared one would gather all their tracebacks.
            raise type(ticket.error)(*ticket.error.args) from ticket.error

    def _lead(self, tenant_id: UUID, own: Ticket) -> None:
        """Write this row and those that wait, then let one of those that came meanwhile lead."""
        with self._lock:
            line = self._lines[tenant_id]
            tickets = [own, *line[: MOST - 1]]
            del line[: MOST - 1]
        try:
            self._commit(tenant_id, tickets)
        finally:
            with self._lock:
                leader = line.pop(0) if line else None
                if leader is None:
                    del self._lines[tenant_id]
            if leader is not None:
                leader.turn.set()
            for ticket in tickets[1:]:
                ticket.turn.set()

    def _commit(self, tenant_id: UUID, tickets: list[Ticket]) -> None:
        try:
            self._write(tenant_id, [ticket.row for ticket in tickets])
        except (DataError, IntegrityError) as error:
            if len(tickets) == 1:
                tickets[0].error = error
            else:  # One row that cannot be stored never costs the others their place.
                for ticket in tickets:
                    self._commit(tenant_id, [ticket])
        except Exception as error:
            for ticket in tickets:
                ticket.error = error
        finally:
            for ticket in tickets:
                ticket.is_settled = True
