"""Courses as data for Chart.js: lines on an even grid of times, and stretches of time as bars behind them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from django.utils import timezone

from metrics.thresholds.batch import Floats

STEPS: Final = 360
DAY: Final = 86_400.0
BLUE, PALE, RED, GREY, VIOLET = "#2563eb", "rgba(59,130,246,.18)", "#dc2626", "#9ca3af", "#7c3aed"
SHADES: Final = {"blue": "rgba(37,99,235,.30)", "orange": "rgba(234,88,12,.30)", "grey": "rgba(107,114,128,.35)"}
OPTIONS: Final[dict[str, Any]] = {
    "animation": False,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {"legend": {"display": True, "position": "bottom", "labels": {"boxWidth": 10, "boxHeight": 10}}},
    "scales": {
        "x": {"grid": {"display": False}, "ticks": {"maxTicksLimit": 8, "maxRotation": 0}},
        "y": {"ticks": {"maxTicksLimit": 6}},
        "shade": {"display": False, "min": 0, "max": 1},
    },
}


@dataclass
class Plot:
    """A chart over a span of time; what is added first lies in front."""

    start: float
    end: float
    datasets: list[dict[str, Any]] = field(default_factory=list)

    @property
    def grid(self) -> Floats:
        """The middles of the steps."""
        edges = np.linspace(self.start, max(self.end, self.start + 60.0), STEPS + 1)
        middles: Floats = (edges[:-1] + edges[1:]) / 2
        return middles

    def line(self, name: str, at: Floats, value: Floats | None, colour: str, *, is_dashed: bool = False) -> None:
        """A line; of several points in a step the one furthest from the usual is shown."""
        if value is not None and len(at):
            self.datasets.append(self._line(name, self._placed(at, value), colour, is_dashed=is_dashed))

    def limit(self, name: str, value: float, colour: str = RED) -> None:
        """A level line."""
        self.datasets.append(self._line(name, [value] * STEPS, colour, is_dashed=True))

    def band(self, name: str, at: Floats, low: Floats | None, high: Floats | None) -> None:
        """What lies between two lines."""
        if low is None or high is None or not len(at):
            return
        upper = self._line(name, self._joined(at, high), "rgba(0,0,0,0)")
        lower = self._line("", self._joined(at, low), "rgba(0,0,0,0)")
        self.datasets += [upper | {"fill": "+1", "backgroundColor": PALE}, lower]

    def stretches(self, name: str, spans: Iterable[tuple[float, float]], shade: str, row: Sequence[float]) -> None:
        """Stretches of time, as bars over a part of the height."""
        marks: list[Any] = [None] * STEPS
        width = (max(self.end, self.start + 60.0) - self.start) / STEPS
        for began, ended in spans:
            first = int((max(began, self.start) - self.start) / width)
            last = int((min(ended, self.end) - self.start) / width)
            for place in range(max(0, first), min(STEPS, max(last, first) + 1)):
                marks[place] = list(row)
        self.datasets.append(
            {
                "type": "bar",
                "label": name,
                "data": marks,
                "yAxisID": "shade",
                "backgroundColor": SHADES[shade],
                "barPercentage": 1.0,
                "categoryPercentage": 1.0,
                "grouped": False,
            }
        )

    def data(self) -> str:
        """What the canvas takes."""
        span = self.end - self.start
        pattern = "%H:%M" if span <= DAY else "%d.%m. %H:%M"
        zone = timezone.get_current_timezone()
        labels = [datetime.fromtimestamp(at, UTC).astimezone(zone).strftime(pattern) for at in self.grid.tolist()]
        return json.dumps({"labels": labels, "datasets": self.datasets})

    def _placed(self, at: Floats, value: Floats) -> list[float | None]:
        width = (max(self.end, self.start + 60.0) - self.start) / STEPS
        middle = float(np.nanmedian(value)) if np.isfinite(value).any() else 0.0
        found: list[float | None] = [None] * STEPS
        for place, one in zip(((at - self.start) / width).astype(np.int64).tolist(), value.tolist(), strict=True):
            if 0 <= place < STEPS and np.isfinite(one):
                kept = found[place]
                if kept is None or abs(one - middle) > abs(kept - middle):
                    found[place] = round(one, 6)
        return found

    def _joined(self, at: Floats, value: Floats) -> list[float | None]:
        known = np.isfinite(value)
        if not known.any():
            return [None] * STEPS
        drawn = np.interp(self.grid, at[known], value[known], left=np.nan, right=np.nan)
        return [round(one, 6) if np.isfinite(one) else None for one in drawn.tolist()]

    def _line(self, name: str, data: Sequence[float | None], colour: str, *, is_dashed: bool = False) -> dict[str, Any]:
        return {
            "label": name,
            "data": list(data),
            "borderColor": colour,
            "backgroundColor": colour,
            "borderWidth": 1.5,
            "borderDash": [6, 4] if is_dashed else [],
            "pointRadius": 0,
            "spanGaps": True,
        }
