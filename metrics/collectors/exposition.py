"""Scrapes any Prometheus or OpenMetrics exposition endpoint."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from itertools import islice
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_classic

from metrics.collectors.base import COUNTER, GAUGE, MAX_POINTS, Collector, Found, Look, Point
from metrics.collectors.errors import CollectError, Trouble
from metrics.collectors.http_source import (
    HttpCredentials,
    HttpSettings,
    fetch_page,
    place_of,
    remember,
    unchanged,
)

ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.8,*/*;q=0.1"
MAX_PATTERNS = 50
MAX_PATTERN = 200
COUNTERS = frozenset({"counter", "histogram", "summary"})
COUNTED = ("_total", "_count", "_sum", "_bucket")


class ExpositionSettings(HttpSettings, frozen=True, kw_only=True):
    """`metrics` are the names to keep, with * for any text; empty keeps all."""

    metrics: list[str] = []

    def problems(self) -> dict[str, str]:
        found = super().problems()
        if len(self.metrics) > MAX_PATTERNS or any(len(pattern) > MAX_PATTERN for pattern in self.metrics):
            found["metrics"] = _("These are too many, or one is too long.")
        return found


class ExpositionCollector(Collector[ExpositionSettings, HttpCredentials]):
    """Everything a page of metrics says now."""

    kind: ClassVar[str] = "exposition"
    label = gettext_lazy("Prometheus exposition (scrape)")
    Settings = ExpositionSettings
    Credentials = HttpCredentials

    def place(self, settings: ExpositionSettings) -> str:
        return place_of(settings)

    async def collect(self, look: Look[ExpositionSettings, HttpCredentials]) -> Found:
        page = await fetch_page(look, ACCEPT)
        if page is None:
            return unchanged(look.memory)
        is_open = "openmetrics" in page.headers.get("content-type", "").lower()
        # Reading thousands of lines takes long enough for other sources to run into their time limits.
        points = await asyncio.to_thread(read_exposition, page.body, look.settings.metrics, is_open=is_open)
        # The same page of another machine is another series, as Prometheus has it.
        instance = place_of(look.settings).partition("://")[2]
        for point in points:
            point.labels.setdefault("instance", instance)
        notes = []
        if len(points) > MAX_POINTS:
            notes.append(_("Only the first %(count)d values were taken.") % {"count": MAX_POINTS})
        hints = []
        if not points:
            hints.append(_("None of the names is on the page.") if look.settings.metrics else _("The page is empty."))
        return Found(points[:MAX_POINTS], remember(page, points), notes, hints)


def read_exposition(body: bytes, patterns: Iterable[str], *, is_open: bool = False) -> list[Point]:
    """Return the values of a page, at most one more than a source may bring; raises `CollectError`."""
    wanted = re.compile("|".join(translate(pattern) for pattern in patterns) or "")
    reader = read_openmetrics if is_open else read_classic
    try:
        return list(islice(_points(reader(body.decode("utf-8")), wanted), MAX_POINTS + 1))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        # The parser raises any of these for pages that are not what they claim to be.
        detail = _("The page is not in Prometheus' text format: %(why)s") % {"why": str(error)[:160]}
        raise CollectError(Trouble.UNREADABLE, detail) from None


def _points(families: Iterable[Any], wanted: re.Pattern[str]) -> Iterator[Point]:
    for family in families:
        for sample in family.samples:
            if sample.name.endswith("_created") or not wanted.match(sample.name):
                continue
            is_counter = family.type == "counter" or (family.type in COUNTERS and sample.name.endswith(COUNTED))
            at = None if sample.timestamp is None else float(sample.timestamp)
            kind = COUNTER if is_counter else GAUGE
            yield Point(sample.name, sample.labels, float(sample.value), at, kind, family.unit or "")
