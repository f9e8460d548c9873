"""What a finding says in words, in the running language; messages say the same from its facts in their reader's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from channels.languages.voice import Voice
from metrics.judging import change_texts
from metrics.judging.telling import LEARNED
from metrics.models import Finding

MAX_LABELS: Final = 4


def series_name(metric: str, labels: Mapping[str, str]) -> str:
    """A series as people name it."""
    if not labels:
        return metric
    shown = [f"{name}={text}" for name, text in sorted(labels.items())[:MAX_LABELS]]
    return f"{metric} ({', '.join(shown)}{', …' if len(labels) > MAX_LABELS else ''})"


def summary(finding: Finding, voice: Voice) -> str:
    """One sentence: what was found."""
    facts = {
        "series": series_name(finding.metric, finding.labels),
        "value": voice.unit(finding.value, finding.unit) if finding.value is not None else "–",
        "limit": voice.unit(finding.limit, finding.unit) if finding.limit is not None else "–",
    }
    return _SUMMARIES.get(finding.kind, _unusual)(finding, facts, voice)


def _beyond(finding: Finding, facts: dict[str, str], voice: Voice) -> str:
    if is_above(finding):
        return _("%(series)s is at %(value)s, above the limit of %(limit)s") % facts
    return _("%(series)s is at %(value)s, below the limit of %(limit)s") % facts


def _rate(finding: Finding, facts: dict[str, str], voice: Voice) -> str:
    if is_above(finding):
        return _("%(series)s changes by %(value)s, more than %(limit)s") % facts
    return _("%(series)s changes by %(value)s, less than %(limit)s") % facts


def _compared(finding: Finding, facts: dict[str, str], voice: Voice) -> str:
    return _("%(series)s differs by %(value)s from the same time before; the limit is %(limit)s") % facts


def _absent(finding: Finding, facts: dict[str, str], voice: Voice) -> str:
    since = {"since": voice.when(finding.began_at, "full")}
    return _("%(series)s sends no data any more, the last came at %(since)s") % (facts | since)


def _unusual(finding: Finding, facts: dict[str, str], voice: Voice) -> str:
    band = _band(finding, voice)
    if band:
        return _("%(series)s is at %(value)s; usual are %(band)s") % (facts | {"band": band})
    return _("%(series)s is at %(value)s, which is unusual for it") % facts


def _forecast(finding: Finding, facts: dict[str, str], voice: Voice) -> str:
    when = voice.when(finding.why.get("crosses_at"), "full")
    return _("%(series)s is going to cross %(limit)s at about %(when)s") % (facts | {"when": when})


def _several(finding: Finding, facts: dict[str, str], voice: Voice) -> str:
    if not finding.labels:
        return _("Several conditions are met")
    return _("Several conditions are met: %(where)s") % {"where": series_name("", finding.labels).strip()}


def _unfit(finding: Finding, facts: dict[str, str], voice: Voice) -> str:
    told = finding.why.get("metrics") or []
    said = ", ".join(_beside_usual(one, voice) for one in told)
    if not said:
        return _("%(series)s do not fit together as usual") % facts
    return _("%(series)s do not fit together as usual: %(metrics)s") % (facts | {"metrics": said})


def _beside_usual(one: Mapping[str, Any], voice: Voice) -> str:
    said = {name: voice.unit(one[name], str(one.get("unit", ""))) for name in ("value", "usual")}
    return _("%(metric)s %(value)s (usually %(usual)s)") % (said | {"metric": one["metric"]})


_SUMMARIES: Final[dict[str, Callable[[Finding, dict[str, str], Voice], str]]] = {
    "static": _beyond,
    "ratio": _beyond,
    "rate": _rate,
    "comparison": _compared,
    "absence": _absent,
    "adaptive": _unusual,
    "change": change_texts.summary,
    "forecast": _forecast,
    "composite": _several,
    "entity": _unfit,
}


def _band(finding: Finding, voice: Voice) -> str:
    if finding.low is None or finding.high is None:
        return ""
    ends = {"low": voice.unit(finding.low, finding.unit), "high": voice.unit(finding.high, finding.unit)}
    return _("%(low)s to %(high)s") % ends


def is_above(finding: Finding) -> bool:
    """Whether the number lies over its limit or over what was expected."""
    reference = finding.limit if finding.limit is not None else finding.expected
    return finding.value is None or reference is None or finding.value >= reference


def reasons(finding: Finding, voice: Voice) -> list[tuple[str, str]]:
    """Why it was found: pairs of a name and what there is to say, the strongest first."""
    said = change_texts.reasons(finding, voice) if finding.kind == "change" else []
    if finding.expected is not None and not said:
        said.append((_("expected"), voice.unit(finding.expected, finding.unit)))
    if band := _band(finding, voice):
        said.append((_("usual"), band))
    if finding.score is not None:
        said.append((_("score (1 is the edge)"), voice.number(finding.score)))
    features = finding.why.get("features") or {}
    if features:
        said.append((_("strongest features"), ", ".join(feature_title(name) for name in features)))
    if season := finding.why.get("season"):
        said.append((_("season"), season_title(str(season))))
    if finding.confidence < 1 or finding.kind in LEARNED:
        # A limit that people set is crossed or not; there is nothing to be sure of.
        said.append((_("confidence"), voice.unit(finding.confidence * 100, "percent")))
    if finding.quality < 1:
        said.append((_("quality of the data"), voice.unit(finding.quality * 100, "percent")))
    return said


def cause_text(cause: Mapping[str, Any]) -> str:
    """A series that moved with a finding, and by how much earlier it did."""
    name = series_name(str(cause.get("metric", "")), cause.get("labels") or {})
    lead = round(float(cause.get("lead_seconds", 0)) / 60)
    return _("%(series)s %(minutes)d min before") % {"series": name, "minutes": lead} if lead > 0 else name


def feature_title(name: str) -> str:
    """What a feature of a detector is called."""
    titles = {
        "value_gap": _("a value not seen before"),
        "spread_gap": _("an unusual unrest"),
        "rise_day": _("a rise against the day"),
        "rise_hour": _("a rise against the last hour"),
        "spread": _("a growing spread"),
        "season_low": _("low for this time of the day"),
        "distance": _("distance from the band"),
        "above": _("high for its season"),
        "below": _("low for its season"),
        "shape_isolation": _("a course seldom seen"),
        "shape_distance": _("a course far from the usual ones"),
    }
    return titles.get(name, name)


def season_title(name: str) -> str:
    """What a season is called."""
    titles = {
        "none": pgettext("season", "none"),
        "day": pgettext("season", "by the hour of the day"),
        "daily": pgettext("season", "by the hour of the day"),
        "week": pgettext("season", "by the hour of the week"),
        "weekly": pgettext("season", "by the hour of the week"),
    }
    return titles.get(name, name)
