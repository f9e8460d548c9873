"""What the settings of each kind of threshold mean, with an example of each."""

from __future__ import annotations

import json
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HELP: Final[dict[str, tuple[Promise, dict[str, Any]]]] = {
    "static": (
        _(
            "A limit: above or below (or both). It is over again at clear_above or clear_below, so that a value on the"
            " limit does not flap. take (mean, min, max, sum, count) looks at the last `over` seconds in place of the"
            " last value."
        ),
        {"above": 90, "clear_above": 85, "take": "mean", "over": 300},
    ),
    "rate": (
        _("The change within the last `over` seconds, as so much in `per` seconds. A counter's restart is no fall."),
        {"above": 100, "over": 300, "per": 1},
    ),
    "ratio": (
        _(
            "The sum of this metric over that of another within the last `over` seconds. Series with equal `on` labels"
            " belong together; under `least` below the line nothing is judged."
        ),
        {"divide_by": "http_requests_total", "on": ["service"], "above": 0.05, "over": 300, "least": 20},
    ),
    "comparison": (
        _(
            "By how many per cent the mean of the last `over` seconds differs from that of the same time `ago` seconds"
            " before; 604800 is a week."
        ),
        {"below": -30, "over": 3600, "ago": 604800},
    ),
    "absence": (_("Nothing came for `after` seconds. Without a metric: any series."), {"after": 900}),
    "adaptive": (
        _(
            "What is unusual for the very series. method: detector finds whatever stands out, tail what is far from"
            " its season, forest courses seldom seen; band follows the season"
            " of the series. side: both, up or down. sensitivity from 0 to 1; feedback moves it between least and most."
        ),
        {"method": "detector", "side": "both", "sensitivity": 0.5, "least": 0.2, "most": 0.8},
    ),
    "change": (
        _(
            "A lasting change of the series, without its season. watch: level, trend and variance (how much it"
            " fluctuates), or some of them. side: both, up or down. A change is at least least_change (in the series'"
            " unit) and least_percent of what was before; a trend is measured by what it adds in `per` seconds. It is"
            " over when it is undone, or after `settled` seconds, when it counts as usual. sensitivity from 0 to 1;"
            " feedback moves it between least and most. holidays: another country than the tenant's, such as FR."
        ),
        {"watch": ["level", "trend", "variance"], "side": "both", "least_percent": 10, "settled": 21600},
    ),
    "forecast": (
        _("It is going to cross a limit within `horizon` seconds, and the forecast is as sure as `confidence`."),
        {"above": 90, "horizon": 86400, "confidence": 0.9},
    ),
    "entity": (
        _(
            "Two to 32 metrics do not fit together, though each may be within its usual range. Series with equal `on`"
            " labels are one entity, looked at every `step` seconds; its model is learned from two weeks in the"
            " background. sensitivity from 0 to 1; feedback moves it between least and most. The field for the metric"
            " stays empty."
        ),
        {"metrics": ["cpu_percent", "requests_per_second", "latency_ms"], "on": ["service"], "step": 60},
    ),
    "composite": (
        _(
            "All or any of up to eight conditions (static, rate or comparison). Series with equal `on` labels belong"
            " together. The field for the metric stays empty."
        ),
        {
            "need": "all",
            "on": ["service"],
            "parts": [
                {"metric": "latency_ms", "settings": {"above": 500}},
                {"metric": "queue_depth", "kind": "rate", "settings": {"above": 10, "over": 600}},
            ],
        },
    ),
}


def step_help() -> dict[str, dict[str, str]]:
    """The help as the page's script takes it."""
    return {
        kind: {"help": str(text), "example": json.dumps(example, indent=2)} for kind, (text, example) in HELP.items()
    }
