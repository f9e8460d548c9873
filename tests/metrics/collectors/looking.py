"""Looks at sources as the service does, at a clock that the test sets."""

import asyncio
from typing import Any

from metrics.collectors.base import NO_MEMORY, Found, Look, Memory
from metrics.collectors.fetching import Fetcher
from metrics.collectors.registry import collector

NOW = 1_790_000_000.0


def look(
    kind: str,
    settings: dict[str, Any],
    credentials: dict[str, Any] | None = None,
    *,
    memory: Memory = NO_MEMORY,
    now: float = NOW,
    timeout: float = 5.0,
    fetcher: Fetcher | None = None,
) -> Found:
    """Return what one look brings."""
    one = collector(kind)

    async def run() -> Found:
        own = fetcher or Fetcher()
        try:
            async with asyncio.timeout(timeout):
                return await one.look(
                    Look(
                        settings=one.settings_from(settings),
                        credentials=one.credentials_from(credentials or {}),
                        fetcher=own,
                        now=now,
                        interval=60.0,
                        timeout=timeout,
                        memory=memory,
                    )
                )
        finally:
            await own.close()

    return asyncio.run(run())
