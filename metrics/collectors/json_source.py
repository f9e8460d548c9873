"""Reads numbers out of JSON over HTTP, found by JMESPath."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from channels.adapters.base import missing
from metrics.collectors import jmes
from metrics.collectors.base import LABEL_NAME, MAX_POINTS, METRIC_NAME, Collector, Found, Look, Point
from metrics.collectors.errors import CollectError, Trouble
from metrics.collectors.http_source import (
    HttpCredentials,
    HttpSettings,
    fetch_page,
    place_of,
    read_json,
    remember,
    text_of,
    unchanged,
)
from metrics.collectors.times import unix_seconds

MAX_FIELDS = 20
MAX_BODY = 10_000


class JsonSettings(HttpSettings, frozen=True, kw_only=True):
    """`items` finds the objects to read, `values` the numbers of each by the metric they are kept as.

    `labels` find what tells the objects apart, `time` when the numbers were measured (empty: now). `body`, when
    there is one, is sent with POST.
    """

    items: str = "@"
    values: dict[str, str]
    labels: dict[str, str] = {}
    time: str = ""
    method: Literal["GET", "POST"] = "GET"
    body: str = ""

    def problems(self) -> dict[str, str]:
        found = super().problems()
        for field, expression in (("items", self.items), ("time", self.time or "@")):
            if fault := jmes.fault_of(expression):
                found[field] = fault
        for field, table, names in (("values", self.values, METRIC_NAME), ("labels", self.labels, LABEL_NAME)):
            if len(table) > MAX_FIELDS:
                found[field] = _("These are too many.")
            for name, expression in table.items():
                if not names.fullmatch(name):
                    found[field] = _("%(name)s cannot be used as a name.") % {"name": name[:80]}
                elif fault := jmes.fault_of(expression):
                    found[field] = f"{name}: {fault}"
        if not self.values:
            found["values"] = missing(dict)
        if self.body and (self.method != "POST" or len(self.body) > MAX_BODY):
            found["body"] = _("Only POST sends a body, of at most 10,000 characters.")
        return found


class JsonCollector(Collector[JsonSettings, HttpCredentials]):
    """Any API that answers JSON."""

    kind: ClassVar[str] = "json"
    label = gettext_lazy("JSON over HTTP")
    Settings = JsonSettings
    Credentials = HttpCredentials

    def place(self, settings: JsonSettings) -> str:
        return place_of(settings)

    async def collect(self, look: Look[JsonSettings, HttpCredentials]) -> Found:
        settings = look.settings
        page = await fetch_page(look, "application/json", method=settings.method, body=settings.body.encode())
        if page is None:
            return unchanged(look.memory)
        try:
            # Thousands of objects take long enough for other sources to run into their time limits.
            found = await asyncio.to_thread(read_items, settings, read_json(page.body))
        except msgspec.DecodeError:
            raise CollectError(Trouble.UNREADABLE, _("The answer is not JSON.")) from None
        except jmes.ExpressionError as error:
            raise CollectError(Trouble.QUERY, str(error)) from None
        found.memory = remember(page, found.points)
        return found


def read_items(settings: JsonSettings, document: object) -> Found:
    """Return what the expressions find in a document; raises `jmes.ExpressionError`."""
    searcher = jmes.Searcher()
    items = searcher.find(settings.items, document)
    if items is None:
        raise jmes.ExpressionError(_("Nothing in the answer fits %(expression)s.") % {"expression": settings.items})
    found = Found()
    skipped = 0
    for item in items if isinstance(items, list) else [items]:
        for point in _points(settings, searcher, item):
            if len(found.points) >= MAX_POINTS:
                found.notes.append(_("Only the first %(count)d values were taken.") % {"count": MAX_POINTS})
                return found
            if point is None:
                skipped += 1
            else:
                found.points.append(point)
    if skipped:
        text = ngettext(
            "%(count)d value is missing or no number.", "%(count)d values are missing or no numbers.", skipped
        )
        found.notes.append(text % {"count": skipped})
    if not found.points and not skipped:
        found.hints.append(_("%(expression)s finds no objects.") % {"expression": settings.items})
    return found


def _points(settings: JsonSettings, searcher: jmes.Searcher, item: object) -> Iterator[Point | None]:
    """Yield the values of one object; None for each that is not there or no number."""
    labels = text_of({name: _plain(searcher.find(one, item)) for name, one in settings.labels.items()})
    at = unix_seconds(searcher.find(settings.time, item)) if settings.time else None
    for metric, expression in settings.values.items():
        value = _number(searcher.find(expression, item))
        is_timeless = bool(settings.time) and at is None
        yield None if value is None or is_timeless else Point(metric, labels, value, at)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
