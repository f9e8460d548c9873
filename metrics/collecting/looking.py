"""Looks at many sources at once on one event loop, handing on each as soon as it has answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
from django.utils import translation
from django.utils.translation import gettext as _

from channels.errors import InvalidSettings, UnknownKind
from metrics.collectors.base import NO_MEMORY, Found, Look, Memory
from metrics.collectors.errors import CollectError, Trouble
from metrics.collectors.fetching import Fetcher
from metrics.collectors.registry import collector

#: Answers are stored together with those that come so soon after them.
COMPANY_SECONDS = 0.5


@dataclass(frozen=True)
class Job:
    """One source as it is to be asked; plain data, read before the looks begin."""

    kind: str
    settings: Mapping[str, Any]
    credentials: Mapping[str, Any]
    interval: float
    timeout: float
    memory: Memory = NO_MEMORY
    locale: str = "en"


@dataclass(frozen=True)
class Outcome:
    """What came of one job: what was found, or the failure; `at` is the moment of the look."""

    number: int
    at: float
    took_ms: int
    found: Found | None = None
    error: CollectError | None = None


def look_at_all(jobs: Sequence[Job], now: float) -> Iterator[list[Outcome]]:
    """Yield outcomes as they come, numbered as the jobs are. The loop rests while the caller works with them.

    `now` is the database's clock at the beginning. Nothing here touches the database.
    """
    started = time.monotonic()
    with asyncio.Runner() as runner:
        fetcher = runner.run(_fetcher())
        tasks: set[asyncio.Task[Outcome]] = set()
        try:
            tasks = runner.run(_begin(jobs, fetcher, now, started))
            while tasks:
                done, tasks = runner.run(_some(tasks))
                if done:
                    yield [task.result() for task in done]
        finally:
            for task in tasks:
                task.cancel()
            runner.run(fetcher.close())


async def look_at(job: Job, fetcher: Fetcher, now: float, number: int = 0) -> Outcome:
    """Return what came of one job; whatever goes wrong is in the outcome, in the tenant's language."""
    started = time.monotonic()
    found, error = None, None
    with translation.override(job.locale):
        try:
            async with asyncio.timeout(job.timeout):
                found = await _look(job, fetcher, now)
        except TimeoutError:
            error = CollectError(Trouble.TIMEOUT, _("No answer within %(time)d s.") % {"time": job.timeout})
        except CollectError as caught:
            error = caught
    return Outcome(number, now, int((time.monotonic() - started) * 1000), found, error)


async def _look(job: Job, fetcher: Fetcher, now: float) -> Found:
    asked = _fingerprint(job.settings)
    try:
        one = collector(job.kind)
        look = Look(
            settings=one.settings_from(job.settings),
            credentials=one.credentials_from(job.credentials),
            fetcher=fetcher,
            now=now,
            interval=job.interval,
            timeout=job.timeout,
            memory=job.memory if job.memory.asked == asked else NO_MEMORY,
        )
    except UnknownKind:
        raise CollectError(Trouble.BLOCKED, _("There is no such kind of source here any more.")) from None
    except InvalidSettings as error:
        raise CollectError(Trouble.BLOCKED, str(error)) from None
    found = await one.look(look)
    found.memory = msgspec.structs.replace(found.memory, asked=asked)
    return found


def _fingerprint(settings: Mapping[str, Any]) -> str:
    return blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16).hexdigest()


async def _fetcher() -> Fetcher:
    return Fetcher()


async def _begin(jobs: Sequence[Job], fetcher: Fetcher, now: float, started: float) -> set[asyncio.Task[Outcome]]:
    return {
        asyncio.ensure_future(look_at(job, fetcher, now + time.monotonic() - started, number))
        for number, job in enumerate(jobs)
    }


async def _some(
    tasks: set[asyncio.Task[Outcome]],
) -> tuple[set[asyncio.Task[Outcome]], set[asyncio.Task[Outcome]]]:
    return await asyncio.wait(tasks, timeout=COMPANY_SECONDS)
