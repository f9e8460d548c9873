"""The overview: what fires, how much comes in and goes out, what waits, what fails."""

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from alerting.admin import dashboard_data as data
from alerting.admin import finding_words
from alerting.admin.severity import SEVERITY_TONES, severity_chip, status_chip
from alerting.severity import TITLES, Severity
from channels.admin.describing import reason_title, state_chip
from tenants.admin.actor import can

# The shades of the chips, so that a colour means one thing on the whole site.
COLOURS = {"blue": "#3b82f6", "yellow": "#eab308", "orange": "#f97316", "red": "#dc2626"}
OPTIONS = {
    "animation": False,
    "maintainAspectRatio": False,
    "barPercentage": 0.95,
    "categoryPercentage": 0.95,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {"legend": {"display": True, "position": "bottom", "labels": {"boxWidth": 10, "boxHeight": 10}}},
    "scales": {
        "x": {"grid": {"display": False}, "ticks": {"maxTicksLimit": 7, "maxRotation": 0}},
        "y": {"beginAtZero": True, "ticks": {"precision": 0, "maxTicksLimit": 5}},
    },
}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the overview shows (settings.UNFOLD["DASHBOARD_CALLBACK"])."""
    if can(request, "view_alerts"):
        context.update(_content())
    return context


def dashboard_part(request: HttpRequest) -> HttpResponse:
    """Return the content alone, for the page that asks again every few seconds."""
    if not can(request, "view_alerts"):
        raise PermissionDenied
    return render(request, "admin/alerting/parts/dashboard.html", _content())


def _content() -> dict[str, Any]:
    severities = data.firing_by_severity()
    rates = data.rates()
    return {
        "has_overview": True,
        "numbers": _numbers(severities),
        "severities": [
            {"level": level.value, "title": TITLES[level], "count": severities.get(level.value, 0), "tone": tone}
            for level, tone in sorted(SEVERITY_TONES.items(), reverse=True)
        ],
        "severity_chart": json.dumps(_severity_chart()),
        "rate_chart": json.dumps(_rate_chart(rates)),
        "chart_options": json.dumps(_two_axes()),
        "stacked_options": json.dumps(_stacked()),
        "groups": [
            {"group": group, "severity": severity_chip(group.severity), "status": status_chip(group.status)}
            for group in data.open_groups()
        ],
        "failures": [
            {"delivery": delivery, "state": state_chip(delivery), "reason": reason_title(delivery.reason)}
            for delivery in data.recent_failures()
        ],
        "findings": finding_words.lines(data.findings()),
        "bucket": data.BUCKET_MINUTES,
        "hours": data.HOURS,
    }


def _two_axes() -> dict[str, Any]:
    # Many alerts become few messages: on one axis the messages would be a flat line.
    right = {**OPTIONS["scales"]["y"], "position": "right", "grid": {"drawOnChartArea": False}}  # type: ignore[index]
    return {**OPTIONS, "scales": {**OPTIONS["scales"], "y1": right}}  # type: ignore[dict-item]


def _stacked() -> dict[str, Any]:
    scales = {axis: {**OPTIONS["scales"][axis], "stacked": True} for axis in ("x", "y")}  # type: ignore[index]
    return {**OPTIONS, "scales": scales}


def _numbers(severities: dict[int, int]) -> list[dict[str, Any]]:
    counted = data.numbers()
    return [
        {"title": _("Alerts firing"), "value": sum(severities.values()), "view": "admin:alerting_alert_changelist"},
        {
            "title": _("Open groups"),
            "value": counted.open_groups,
            "note": _("%(count)d acknowledged") % {"count": counted.acknowledged},
            "view": "admin:alerting_alertgroup_changelist",
        },
        {
            "title": _("Alerts waiting"),
            "value": counted.waiting_alerts,
            "note": _("accepted, not yet processed"),
            "warn": counted.waiting_alerts > data.MANY_WAITING,
        },
        {
            "title": _("Messages waiting"),
            "value": counted.waiting_deliveries,
            "note": _("oldest due %(seconds)d s ago") % {"seconds": counted.oldest_due} if counted.oldest_due else "",
            "warn": counted.oldest_due > data.LATE_SECONDS,
            "view": "admin:channels_delivery_changelist",
        },
        {
            "title": _("Dead letters"),
            "value": counted.dead,
            "warn": counted.dead > 0,
            "view": "admin:channels_delivery_changelist",
            "query": "?state__exact=dead",
        },
        {
            "title": _("In quarantine"),
            "value": counted.quarantined,
            "warn": counted.quarantined > 0,
            "view": "admin:alerting_quarantinedalert_changelist",
            "query": "?state__exact=waiting",
        },
    ]


def _severity_chart() -> dict[str, Any]:
    buckets = data.opened_by_severity()
    levels = sorted(SEVERITY_TONES)
    return {
        "labels": [bucket.label for bucket in buckets],
        "datasets": [
            {
                "label": str(TITLES[level]),
                "data": [bucket.counts.get(level.value, 0) for bucket in buckets],
                "backgroundColor": COLOURS[SEVERITY_TONES[Severity(level)]],
            }
            for level in levels
        ],
    }


def _rate_chart(rates: list[data.Rate]) -> dict[str, Any]:
    return {
        "labels": [rate.label for rate in rates],
        "datasets": [
            _line(_("alerts in (left)"), [rate.accepted for rate in rates], "#3b82f6"),
            {**_line(_("messages out"), [rate.delivered for rate in rates], "#16a34a"), "yAxisID": "y1"},
            {**_line(_("messages failed"), [rate.failed for rate in rates], "#dc2626"), "yAxisID": "y1"},
        ],
    }


def _line(label: str, values: list[float], colour: str) -> dict[str, Any]:
    return {
        "label": label,
        "data": values,
        "borderColor": colour,
        "backgroundColor": colour,
        "borderWidth": 2,
        "pointRadius": 0,
        "tension": 0.25,
    }
