"""Health of a container without a port: did the part in it do work lately?

A process that runs, or that answers a ping, may have stopped taking work; so the heartbeat counts, which
relays and workers write into the database while they work. Beat is judged by its schedule file.
"""

import os
import socket
import sys
import time
from pathlib import Path

import psycopg2

SILENT_AFTER_S = 60
# Celery writes the schedule every three minutes.
STALE_AFTER_S = 400
RECENT = """
    SELECT count(*) FROM heartbeat
    WHERE split_part(component, ':', 1) = %s AND position(%s in instance) > 0 AND at > now() - %s * interval '1 second'
"""


def did_work(component: str) -> bool:
    """Tell whether the part of this host noted work in the database lately."""
    file = os.environ.get("DATABASE_URL_FILE")
    address = Path(file).read_text(encoding="utf-8").strip() if file else os.environ["DATABASE_URL"]
    connection = psycopg2.connect(address, connect_timeout=3)
    try:
        with connection.cursor() as cursor:
            cursor.execute(RECENT, [component, socket.gethostname(), SILENT_AFTER_S])
            row = cursor.fetchone()
            return row is not None and row[0] > 0
    finally:
        connection.close()


def wrote_schedule(schedule: Path) -> bool:
    """Tell whether beat wrote its schedule lately; the database module may add an ending to the name."""
    files = schedule.parent.glob(f"{schedule.name}*")
    return any(time.time() - file.stat().st_mtime < STALE_AFTER_S for file in files)


def main(component: str) -> int:
    """Return 0 for healthy."""
    if component == "beat":
        return 0 if wrote_schedule(Path(os.environ.get("BEAT_SCHEDULE", "/tmp/beat-schedule"))) else 1  # noqa: S108
    try:
        return 0 if did_work(component) else 1
    except (OSError, psycopg2.Error) as error:
        print(f"The database does not answer: {error}".strip(), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
