"""Asks a Prometheus, or what speaks its API, for expressions: their values now, or all since the last look."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from metrics.collectors.base import MAX_POINTS, METRIC_NAME, Collector, Found, Look, Memory, Point
from metrics.collectors.errors import CollectError, Trouble
from metrics.collectors.fetching import Page, check_status
from metrics.collectors.http_source import HttpCredentials, HttpSettings, place_of

MAX_QUERIES = 50
MAX_QUERY = 4_000
#: What Prometheus itself answers at most for one series.
MAX_STEPS = 10_000
LONGEST_HISTORY = 30 * 24
#: A source that could not be read catches up with so much of the past when it is there again.
CATCH_UP_SECONDS = 6 * 3600
KEEPS_NAMES = "*"
# Prometheus explains what is wrong with a query with these.
EXPLAINED = frozenset({400, 422})


class PrometheusSettings(HttpSettings, frozen=True, kw_only=True):
    """`queries` are PromQL by the name that their values get.

    A name that begins with * keeps the names that the series have. `range` reads every value in steps of `step`
    seconds since the last look, and at the first look as many hours as `history_hours` says.
    """

    queries: dict[str, str]
    mode: Literal["instant", "range"] = "instant"
    step: int = 60
    history_hours: int = 0

    def problems(self) -> dict[str, str]:
        found = super().problems()
        if not 1 <= len(self.queries) <= MAX_QUERIES:
            found["queries"] = _("Give from 1 to %(count)d queries.") % {"count": MAX_QUERIES}
        for name, query in self.queries.items():
            if not name.startswith(KEEPS_NAMES) and not METRIC_NAME.fullmatch(name):
                found["queries"] = _("%(name)s is not a name for a metric.") % {"name": name[:80]}
            if not 1 <= len(query) <= MAX_QUERY:
                found["queries"] = _("A query is empty or too long.")
        if not 5 <= self.step <= 86_400:
            found["step"] = _("Give from %(low)d to %(high)d.") % {"low": 5, "high": 86_400}
        if not 0 <= self.history_hours <= LONGEST_HISTORY:
            found["history_hours"] = _("Give from %(low)d to %(high)d.") % {"low": 0, "high": LONGEST_HISTORY}
        return found


Ask = Look[PrometheusSettings, HttpCredentials]


class PrometheusCollector(Collector[PrometheusSettings, HttpCredentials]):
    """A query that fails costs its own values only, as long as another one works."""

    kind: ClassVar[str] = "prometheus"
    label = gettext_lazy("Prometheus (PromQL)")
    Settings = PrometheusSettings
    Credentials = HttpCredentials

    def place(self, settings: PrometheusSettings) -> str:
        return place_of(settings)

    async def collect(self, look: Ask) -> Found:
        start, end = _window(look)
        if look.settings.mode == "range" and start > end:
            return Found([], look.memory, is_unchanged=True)
        found, failures = Found(memory=look.memory), []
        for name, query in look.settings.queries.items():
            try:
                data = await _ask(look, query, start, end)
                points = _points(name, data["data"])
                found.points += points
                if not points:
                    found.hints.append(_("%(name)s: the query found nothing.") % {"name": name})
                found.notes += [str(warning)[:200] for warning in data.get("warnings", [])[:3]]
            except CollectError as error:
                failures.append(error)
                if error.trouble is not Trouble.QUERY:
                    break
                found.notes.append(f"{name}: {error.detail}")
        if failures and (not found.points or failures[-1].trouble is not Trouble.QUERY):
            raise failures[-1]
        if len(found.points) > MAX_POINTS:
            found.points = found.points[:MAX_POINTS]
            found.notes.append(_("Only the first %(count)d values were taken.") % {"count": MAX_POINTS})
        # What a failed query did not bring is asked for again; what comes twice is told apart when it is stored.
        found.memory = look.memory if failures else Memory(until=end)
        return found


def _window(look: Ask) -> tuple[float, float]:
    """Return first and last moment to ask for, both on the grid of the step."""
    step = look.settings.step
    end = math.floor(look.now / step) * step
    if look.memory.until:
        oldest = max(look.memory.until + step, look.now - CATCH_UP_SECONDS)
    else:
        oldest = look.now - max(look.settings.history_hours * 3600, look.interval)
    return max(math.ceil(oldest / step) * step, end - (MAX_STEPS - 1) * step), end


async def _ask(look: Ask, query: str, start: float, end: float) -> dict[str, Any]:
    settings = look.settings
    wanted: dict[str, Any] = {"query": query, "timeout": f"{math.ceil(look.timeout)}s"}
    if settings.mode == "range":
        path, wanted = "query_range", wanted | {"start": start, "end": end, "step": settings.step}
    else:
        path, wanted = "query", wanted | {"time": f"{look.now:.3f}"}
    headers = {"Accept": "application/json", **settings.headers, **look.credentials.headers()}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    url = f"{settings.url.rstrip('/')}/api/v1/{path}"
    page = await look.fetcher.fetch(url, method="POST", headers=headers, body=urlencode(wanted).encode())
    return _decoded(page)


def _decoded(page: Page) -> dict[str, Any]:
    try:
        data = msgspec.json.decode(page.body) if page.status == 200 or page.status in EXPLAINED else {}
    except msgspec.DecodeError:
        data = {}
    if page.status in EXPLAINED and isinstance(data, dict) and data.get("error"):
        raise CollectError(Trouble.QUERY, str(data["error"])[:300])
    check_status(page)
    if not isinstance(data, dict) or data.get("status") != "success" or not isinstance(data.get("data"), dict):
        raise CollectError(Trouble.UNREADABLE, _("This is not the answer of a Prometheus."))
    return data


def _points(name: str, data: dict[str, Any]) -> list[Point]:
    """Return the values of an answer of any type that numbers come in."""
    try:
        kind, result = data["resultType"], data["result"]
        if kind == "scalar":
            return [Point(name if not name.startswith(KEEPS_NAMES) else "scalar", {}, float(result[1]), result[0])]
        if kind not in {"vector", "matrix"}:
            raise CollectError(Trouble.QUERY, _("The query gives no numbers."))
        found = []
        for series in result:
            labels = {str(key): str(value) for key, value in series["metric"].items()}
            own = labels.pop("__name__", "")
            metric = name if not name.startswith(KEEPS_NAMES) else own or "value"
            pairs = series["values"] if kind == "matrix" else [series["value"]]
            found += [Point(metric, labels, float(value), float(at)) for at, value in pairs]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise CollectError(Trouble.UNREADABLE, _("This is not the answer of a Prometheus.")) from None
    return found
