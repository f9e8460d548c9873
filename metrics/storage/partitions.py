"""Partitions of samples and rollups: made ahead and on demand, dropped when their level's retention is over."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import connection

log = structlog.get_logger(__name__)

#: Partitions that begin within this time are made before anybody needs them.
AHEAD: Final = timedelta(days=3)
_MADE: set[tuple[str, str]] = set()
_MOST_REMEMBERED: Final = 4_096


@dataclass(frozen=True)
class Level:
    """A partitioned table, the part of a date that one of its partitions spans, and how many days rows are kept."""

    table: str
    stamp: str
    setting: str

    @property
    def days(self) -> int:
        """For how many days the rows of this level are kept."""
        return int(getattr(settings, self.setting))


SAMPLES = Level("sample_chunk", "%Y%m%d", "METRICS_KEEP_SAMPLES_DAYS")
FLAWS = Level("sample_flaw", "%Y%m%d", "METRICS_KEEP_FLAWS_DAYS")
MINUTES = Level("rollup_minute", "%Y%m%d", "METRICS_KEEP_MINUTES_DAYS")
HOURS = Level("rollup_hour", "%Y%m", "METRICS_KEEP_HOURS_DAYS")
DAYS = Level("rollup_day", "%Y", "METRICS_KEEP_DAYS_DAYS")
LEVELS = (SAMPLES, FLAWS, MINUTES, HOURS, DAYS)


def ensure(level: Level, moments: Iterable[datetime]) -> None:
    """Make the partitions that these moments belong to, unless this process knows them to be there."""
    wanted = {moment.astimezone(UTC).strftime(level.stamp): moment for moment in moments}
    missing = [moment for stamp, moment in wanted.items() if (level.table, stamp) not in _MADE]
    if not missing:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE make_metric_partition(%s, moment))"
            " FROM unnest(%s::timestamptz[]) AS m (moment)",
            [level.table, missing],
        )
        made = int(cursor.fetchone()[0])
    if made:
        log.info("partitions made", table=level.table, count=made)
    # What an open transaction made may be rolled back with it.
    if not connection.in_atomic_block:
        if len(_MADE) > _MOST_REMEMBERED:
            _MADE.clear()
        _MADE.update((level.table, stamp) for stamp in wanted)


def forget() -> None:
    """Ask the database again; for whoever has just dropped partitions or changed the database."""
    _MADE.clear()


def make_ahead() -> None:
    """Make the partitions of now and of the days to come."""
    now = datetime.now(UTC)
    for level in LEVELS:
        ensure(level, [now + timedelta(days=day) for day in range(AHEAD.days + 1)])


def drop_old() -> int:
    """Drop the partitions that ended before their level's retention; return how many went."""
    dropped = 0
    with connection.cursor() as cursor:
        for level in LEVELS:
            cursor.execute(
                "SELECT drop_metric_partitions(%s, now() - %s * interval '1 day')", [level.table, level.days]
            )
            dropped += int(cursor.fetchone()[0])
    if dropped:
        forget()
        log.info("partitions dropped", count=dropped)
    return dropped
