"""The "try it now" of a source: one look that stores nothing and says what it found."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import translation

from channels.selectors import database_now
from metrics.collecting.looking import Job, Outcome, look_at
from metrics.collecting.storing import sample_rows
from metrics.collecting.tidying import tidy
from metrics.collectors.fetching import Fetcher

#: A person waits for it.
LONGEST_SECONDS = 10.0


@dataclass(frozen=True)
class Trial:
    """What a look found: some values, how many there are, and in words what is wrong or not quite right."""

    samples: list[dict[str, Any]]
    series: int
    points: int
    took_ms: int
    fault: str
    notes: list[str]


def try_source(
    kind: str,
    settings: Mapping[str, Any],
    credentials: Mapping[str, Any],
    *,
    labels: Mapping[str, str],
    timeout: float = LONGEST_SECONDS,
    interval: float = 60.0,
) -> Trial:
    """Ask a source once, saved or not. Call it outside a transaction: it waits for others."""
    job = Job(
        kind, settings, credentials, interval, min(timeout, LONGEST_SECONDS), locale=translation.get_language() or "en"
    )
    outcome = asyncio.run(_look(job, database_now().timestamp()))
    found = outcome.found
    tidied = tidy(found.points if found else [], labels, outcome.at)
    notes = [note for note in [*(found.notes if found else []), tidied.note(), *(found.hints if found else [])] if note]
    fault = outcome.error.detail if outcome.error else ""
    return Trial(sample_rows(tidied), len(tidied.series), tidied.points, outcome.took_ms, fault, notes)


async def _look(job: Job, now: float) -> Outcome:
    fetcher = Fetcher()
    try:
        return await look_at(job, fetcher, now)
    finally:
        await fetcher.close()
