"""Causes as a message has them, whatever its reader's language: the sign says how much earlier they moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from metrics.judging.texts import series_name

MAX_CAUSES: Final = 5


def causes_brief(causes: Sequence[Mapping[str, Any]]) -> str:
    """The likeliest causes, such as "queue_depth (service=shop) \u22125 min"."""
    return ", ".join(_brief(cause) for cause in causes[:MAX_CAUSES])


def _brief(cause: Mapping[str, Any]) -> str:
    name = series_name(str(cause.get("metric", "")), cause.get("labels") or {})
    lead = round(float(cause.get("lead_seconds", 0)) / 60)
    return f"{name} \u2212{lead} min" if lead > 0 else name
