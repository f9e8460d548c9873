"""Whether this process can do its work, and when each part of the service last did."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now

from alerting import room
from alerting.models import Heartbeat

# A worker that answers pings but takes no work is dead; it beats only from inside a task (canary).
SILENT_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class Readiness:
    """What stands in the way of taking requests; empty `problems` means ready."""

    problems: dict[str, str]

    @property
    def is_ready(self) -> bool:
        return not self.problems


_migrations_seen = False


def readiness() -> Readiness:
    """Ask the database for an answer and for its migrations; anything else may be away without harm.

    A full disk shows only when something is stored, so the door remembers it.
    """
    global _migrations_seen
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            if cursor.fetchone() == (True,):
                return Readiness({"database": "read-only"})
        if room.is_full():
            return Readiness({"database": "disk full"})
        if not _migrations_seen:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return Readiness({"migrations": "not all applied"})
            _migrations_seen = True
    except DatabaseError:
        connection.close()
        return Readiness({"database": "no answer"})
    return Readiness({})


def beat(component: str, instance: str) -> None:
    """Note that a part did work just now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO heartbeat (component, instance, at) VALUES (%s, %s, now())"
            " ON CONFLICT (component, instance) DO UPDATE SET at = now()",
            [component, instance],
        )


def silent_components() -> list[str]:
    """Return the parts none of whose instances did work lately; a part never seen is not expected."""
    lately = Heartbeat.objects.filter(at__gte=Now() - SILENT_AFTER).values_list("component", flat=True)
    known = Heartbeat.objects.filter(at__gte=Now() - timedelta(days=1)).values_list("component", flat=True)
    return sorted(set(known) - set(lately))
