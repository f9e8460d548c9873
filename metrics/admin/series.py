"""Series: the list of what is measured, and for each its chart, its figures and what was wrong with its samples."""

import json
from datetime import timedelta
from typing import Any, Final

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter

from alerting.admin.matching import label_chips
from metrics.models import Series
from metrics.quality.reasons import Reason
from metrics.storage import flaws, reading
from tenants.admin.base import ReadOnlyAdmin
from tenants.admin.display import chip, duration_text, moment

FLAWS: Final = 50
GOOD, FAIR = 0.95, 0.8
#: What the chart can show: its name in the address, how long, and how wide a point is.
RANGES: Final = {
    "3h": (timedelta(hours=3), 60),
    "1d": (timedelta(days=1), 300),
    "7d": (timedelta(days=7), 3_600),
    "30d": (timedelta(days=30), 3_600),
    "1y": (timedelta(days=365), 86_400),
}
REASONS: Final = {
    Reason.NOT_A_NUMBER: gettext_lazy("not a number"),
    Reason.IMPOSSIBLE_VALUE: gettext_lazy("a value that cannot be"),
    Reason.TOO_OLD: gettext_lazy("older than what is kept"),
    Reason.IN_THE_FUTURE: gettext_lazy("a time in the future"),
    Reason.CONFLICT: gettext_lazy("another value was there first"),
    Reason.OTHER_UNIT: gettext_lazy("a unit that cannot be converted"),
    Reason.MILLISECOND_TIME: gettext_lazy("a time in milliseconds"),
    Reason.UNIT_CONVERTED: gettext_lazy("another unit, converted"),
    Reason.ROUNDED_TO_BOUND: gettext_lazy("beyond its bound by rounding"),
}
ACTIONS: Final = {"quarantined": gettext_lazy("put aside"), "repaired": gettext_lazy("repaired")}
_LINES: Final = (("mean", "#2563eb"), ("min", "#93c5fd"), ("max", "#93c5fd"))


def quality_chip(series: Series) -> SafeString:
    """How good the data of a series was of late."""
    tone = "green" if series.quality >= GOOD else "yellow" if series.quality >= FAIR else "red"
    return chip(f"{round(series.quality * 100)} %", tone)


class SeriesAdmin(ReadOnlyAdmin):
    """One metric with one set of labels each."""

    list_display = ("metric", "labels_shown", "unit", "value", "seen", "quality_shown")
    list_filter = (("kind", ChoicesCheckboxFilter), ("last_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("metric", "labels")
    search_help_text = gettext_lazy("Text in the name of the metric or in its labels")
    ordering = ("metric", "number")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a series with its chart."""
        series: Series = self.get_object_or_404(request, object_id)
        self.check_look(request, series)
        chosen = request.GET.get("range", "")
        chosen = chosen if chosen in RANGES else "1d"
        context = {
            **self.admin_site.each_context(request),
            "title": str(series),
            "opts": self.opts,
            "series": series,
            "quality": quality_chip(series),
            "last_value": self.value(series),
            "interval": duration_text(timedelta(seconds=round(series.interval))) if series.interval else "–",
            "ranges": list(RANGES),
            "chosen": chosen,
            "flaws": _flaw_lines(series),
            **_chart(series, chosen),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/metrics/series.html", context)

    def labels_shown(self, series: Series) -> Any:
        return label_chips(series.labels, most=4)

    labels_shown.short_description = gettext_lazy("labels")  # type: ignore[attr-defined]

    def value(self, series: Series) -> str:
        return "–" if series.last_value is None else f"{series.last_value:,.6g}"

    value.short_description = gettext_lazy("last value")  # type: ignore[attr-defined]

    def seen(self, series: Series) -> Any:
        return moment(series.last_at)

    seen.short_description = gettext_lazy("last sample")  # type: ignore[attr-defined]

    def quality_shown(self, series: Series) -> Any:
        return quality_chip(series)

    quality_shown.short_description = gettext_lazy("quality")  # type: ignore[attr-defined]


def _chart(series: Series, chosen: str) -> dict[str, Any]:
    """The chart of a range that ends with now, or with the last sample of a series that fell silent."""
    length, step = RANGES[chosen]
    end = timezone.now()
    if series.last_at is not None and series.last_at < end - length:
        end = series.last_at + timedelta(seconds=step)
    start = (end - length).timestamp() // step * step
    found = reading.stepped(series.tenant_id, [series.number], step, start, end.timestamp())
    only = next(iter(reading.arrays(found).values()), None)
    if only is None:
        return {"chart": "", "count": 0}
    at = np.arange(start, end.timestamp(), step)
    place = np.rint((only.at - start) / step).astype(np.int64)
    pattern = "%H:%M" if length <= timedelta(days=1) else "%d.%m. %H:%M" if step < 86_400 else "%Y-%m-%d"
    times = [timezone.localtime(end - timedelta(seconds=end.timestamp() - moment)) for moment in at.tolist()]
    lines: list[dict[str, Any]] = []
    names = {"mean": _("mean"), "min": _("lowest"), "max": _("highest")}
    for name, colour in _LINES:
        line = np.full(len(at), np.nan)
        line[place] = getattr(only, name)
        values = [None if np.isnan(value) else value for value in line.tolist()]
        lines.append(_line(names[name], values, colour, is_main=name == "mean"))
    data = {"labels": [time.strftime(pattern) for time in times], "datasets": lines}
    return {"chart": json.dumps(data), "chart_options": json.dumps(_options(series)), "count": int(only.count.sum())}


def _line(name: str, values: list[float | None], colour: str, *, is_main: bool) -> dict[str, Any]:
    width, dots = (2, 1.5) if is_main else (1, 0)
    return {
        "label": name,
        "data": values,
        "borderColor": colour,
        "backgroundColor": colour,
        "borderWidth": width,
        "pointRadius": dots,
        "spanGaps": False,
    }


def _options(series: Series) -> dict[str, Any]:
    scales: dict[str, Any] = {
        "x": {"grid": {"display": False}, "ticks": {"maxTicksLimit": 8, "maxRotation": 0}},
        "y": {"ticks": {"maxTicksLimit": 6}, "title": {"display": bool(series.unit), "text": series.unit}},
    }
    legend = {"display": True, "position": "bottom", "labels": {"boxWidth": 10, "boxHeight": 10}}
    return {
        "animation": False,
        "maintainAspectRatio": False,
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {"legend": legend},
        "scales": scales,
    }


def _flaw_lines(series: Series) -> list[dict[str, Any]]:
    return [
        {
            "noted_at": flaw.noted_at,
            "action": ACTIONS.get(flaw.action, flaw.action),
            "is_aside": flaw.action == "quarantined",
            "reason": REASONS.get(Reason[flaw.reason.upper()], flaw.reason),
            "samples": flaw.samples,
            "first_at": flaw.first_at,
            "first_value": f"{flaw.first_value:,.6g}",
        }
        for flaw in flaws.recent(series.tenant_id, series.number, FLAWS)
    ]
