"""Which sentence says what an alert is about: by its type, by what is known of it, and by how much a channel holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from channels.languages.alert_types import ABSENT, CHANGING, NAMES, AlertType, find, says, type_of
from channels.languages.formats import read_number, read_time

#: What a kind of channel has room for. Kinds not named here get a summary.
BREVITY: Final[dict[str, tuple[str, ...]]] = {
    "slack": ("summary",),
    "email": ("summary", "detail"),
    "webhook": ("summary",),
    "pagerduty": ("summary",),
    "sms": ("brief",),
}
#: Said where an alert names no metric, so that nothing of the above can be said.
MEASURE: Final = "measure"
#: How a kind of channel is headed.
HEADINGS: Final[dict[str, str]] = {"sms": "brief"}
MAX_FACT: Final = 120

#: (phrase under `types.<type>.<part>`, what must be known for it); the first that can be said is said.
Choice = tuple[str, frozenset[str]]


def _choices(text: str) -> tuple[Choice, ...]:
    made = []
    for line in text.split(";"):
        key, *needs = line.split()
        made.append((key, frozenset(needs)))
    return tuple(made)


_MEASURED: Final = _choices(
    "above_on metric value subject is_above; below_on metric value subject is_below;"
    "above metric value is_above; below metric value is_below"
)
_LIMIT: Final = _choices("limit value threshold")
_NORMAL: Final = _choices("over_on metric subject; over metric")
FIRING: Final[dict[AlertType, dict[str, tuple[Choice, ...]]]] = {
    AlertType.THRESHOLD: {
        "title": (*_choices("changes_on metric value subject is_rate; changes metric value is_rate"), *_MEASURED),
        "summary": _choices(
            "changes metric value threshold is_rate;"
            "above metric value threshold is_above; below metric value threshold is_below"
        ),
        "detail": _choices("lasting span"),
        "measure": _LIMIT,
        "brief": _choices(
            "changes metric value threshold is_rate;"
            "above metric value threshold subject is_above; below metric value threshold subject is_below;"
            "above_plain metric value threshold is_above; below_plain metric value threshold is_below"
        ),
    },
    AlertType.ANOMALY: {
        "title": _MEASURED,
        "summary": _choices(
            "both metric value expected lower upper; band metric value lower upper; expected metric value expected"
        ),
        "detail": _choices("lasting span"),
        "brief": _choices(
            "both metric value expected lower upper; band metric value lower upper; expected metric value expected"
        ),
    },
    AlertType.CHANGE: {
        "title": _choices(
            "trend_on metric value subject is_trend; trend metric value is_trend;"
            "spread_on metric value subject is_spread; spread metric value is_spread;"
            "risen_on metric value subject is_above; risen metric value is_above;"
            "fallen_on metric value subject is_below; fallen metric value is_below"
        ),
        "summary": _choices(
            "trend metric value expected changed is_trend; spread metric value expected changed is_spread;"
            "level metric value expected changed"
        ),
        "detail": _choices("remedy changed"),
        "brief": _choices(
            "trend metric value expected is_trend; spread metric value expected is_spread; level metric value expected"
        ),
    },
    AlertType.FORECAST: {
        "title": _choices("reaches_on metric subject ahead; reaches metric ahead"),
        "summary": _choices("limit metric value threshold reaches; reaches metric reaches"),
        "detail": _choices("advice metric"),
        "brief": _choices("limit metric threshold reaches; reaches metric reaches"),
    },
    AlertType.AVAILABILITY: {
        "title": _choices("silent_on metric subject is_absent; silent metric is_absent; down subject"),
        "summary": _choices("error error"),
        "detail": _choices("quiet span is_absent; lasting span"),
        "brief": _choices(
            "silent_on metric subject is_absent; silent metric is_absent; error subject error; down subject"
        ),
    },
    AlertType.BUSINESS: {
        "title": _choices("above metric value is_above; below metric value is_below"),
        "summary": _choices(
            "expected metric value expected; band metric value lower upper; threshold metric value threshold"
        ),
        "detail": _choices("lasting span"),
        "measure": _LIMIT,
        "brief": _choices("expected metric value expected; threshold metric value threshold"),
    },
    AlertType.SECURITY: {
        "title": _choices("on name subject; plain name"),
        "summary": _choices(
            "attempts_by count actor source; attempts count source; by actor source; actor actor; source source"
        ),
        "detail": _choices("evidence"),
        "brief": _choices("on name subject source; from name source; plain name"),
    },
    AlertType.GENERIC: {},
}
RESOLVED: Final[dict[AlertType, dict[str, tuple[Choice, ...]]]] = {
    AlertType.THRESHOLD: {"title": _NORMAL, "summary": _choices("over metric threshold"), "brief": _NORMAL},
    AlertType.ANOMALY: {"title": _NORMAL, "summary": _choices("over metric"), "brief": _NORMAL},
    AlertType.CHANGE: {
        "title": _NORMAL,
        "summary": _choices("returned metric is_returned; settled metric is_settled"),
        "brief": _NORMAL,
    },
    AlertType.FORECAST: {"title": _NORMAL, "summary": _choices("over metric"), "brief": _NORMAL},
    AlertType.AVAILABILITY: {
        "title": _choices("back_on metric subject is_absent; back metric is_absent; over subject"),
        "summary": _choices("over lasted"),
        "brief": _choices("back_on metric subject is_absent; back metric is_absent; over subject"),
    },
    AlertType.BUSINESS: {
        "title": _choices("over metric"),
        "summary": _choices("over metric"),
        "brief": _choices("over metric"),
    },
    AlertType.SECURITY: {"title": _choices("over name"), "brief": _choices("over name")},
    AlertType.GENERIC: {},
}


class Speaker(Protocol):
    """What wording needs of a voice."""

    now: datetime | None

    def t(self, key: str, **values: object) -> str: ...
    def unit(self, value: object, name: str = "") -> str: ...
    def when(self, value: object, style: str = "auto") -> str: ...
    def ago(self, value: object, width: str = "long") -> str: ...
    def duration(self, seconds: object, width: str = "long") -> str: ...


def sentence(alert: Mapping[str, Any], part: str, voice: Speaker) -> str:
    """Return what can be said about an alert in one part of its type; empty when too little is known."""
    labels, annotations = alert.get("labels") or {}, alert.get("annotations") or {}
    kind = type_of(labels, annotations)
    is_over = alert.get("status") == "resolved"
    choices = (RESOLVED if is_over else FIRING)[kind].get(part, ())
    if not choices:
        return ""
    facts = Facts(alert, labels, annotations, voice)
    for key, needs in choices:
        if all(facts.get(name) for name in needs):
            values = {name: facts.get(name) for name in needs}
            if "count" in needs:
                values["n"] = facts.count
            return voice.t(f"types.{kind}.{part}.{key}", **values)
    return ""


def sentences(alert: Mapping[str, Any], kind: str, voice: Speaker) -> list[str]:
    """Return what a kind of channel has room to say about an alert; at the least how far its value is off."""
    first, *more = BREVITY.get(kind, ("summary",))
    said = [sentence(alert, first, voice) or _measure(alert, voice)]
    said += [sentence(alert, part, voice) for part in more]
    return [text for text in said if text]


def heading(alert: Mapping[str, Any], title: str, kind: str, voice: Speaker) -> str:
    """Return a title in the reader's language for a message about this alert alone.

    An alert of which too little is known keeps the given title, with how far its value is off where that is all it has
    to say.
    """
    if said := sentence(alert, HEADINGS.get(kind, "title"), voice):
        return said
    has_words = bool((alert.get("annotations") or {}).get("summary"))
    measured = "" if has_words or not title else _measure(alert, voice)
    return voice.t("line.pair", name=title, value=measured) if measured else title


def _measure(alert: Mapping[str, Any], voice: Speaker) -> str:
    labels, annotations = alert.get("labels") or {}, alert.get("annotations") or {}
    # Most alerts carry no value; what type they are need not be worked out for that.
    return sentence(alert, MEASURE, voice) if find(NAMES.value, labels, annotations) else ""


class Facts:
    """What is known of one alert, written for the reader as it is asked for."""

    def __init__(
        self, alert: Mapping[str, Any], labels: Mapping[str, str], annotations: Mapping[str, str], voice: Speaker
    ) -> None:
        self._alert, self._labels, self._annotations, self._voice = alert, labels, annotations, voice
        self._known: dict[str, object] = {}
        self.unit = self._raw(NAMES.unit)

    def get(self, name: str) -> object:
        """Return a fact as text, or a truth; false when it is not known."""
        if name not in self._known:
            make = _MADE.get(name)
            self._known[name] = make(self) if make else self._raw(getattr(NAMES, name))[:MAX_FACT]
        return self._known[name]

    @property
    def count(self) -> int:
        """How many attempts there were."""
        return int(read_number(self._raw(NAMES.count)) or 0)

    def _raw(self, names: tuple[str, ...]) -> str:
        return find(names, self._labels, self._annotations)

    def _measured(self, names: tuple[str, ...]) -> str:
        raw = self._raw(names)
        if raw and names is NAMES.threshold and read_number(raw) is None:
            # A name of a rule, not a limit.
            return ""
        return self._voice.unit(raw, self.unit) if raw else ""

    def _metric(self) -> str:
        return self._raw(NAMES.metric).replace("_", " ")[:MAX_FACT]

    def _is_above(self, wanted: bool) -> bool:
        said = self._raw(NAMES.direction).lower()
        if said in {"above", "below"}:
            return (said == "above") is wanted
        value = read_number(self._raw(NAMES.value))
        upper = read_number(self._raw(NAMES.upper) or self._raw(NAMES.threshold) or self._raw(NAMES.expected))
        lower = read_number(self._raw(NAMES.lower))
        if value is None:
            return False
        if lower is not None and value < lower:
            return not wanted
        return upper is not None and (value >= upper) is wanted

    def _is_absent(self) -> bool:
        return says(ABSENT, self._labels, self._annotations)

    def _is_rate(self) -> bool:
        return says(CHANGING, self._labels, self._annotations)

    def _is(self, names: tuple[str, ...], wanted: str) -> bool:
        return self._raw(names).strip().lower() == wanted

    def _changed(self) -> str:
        raw = self._raw(NAMES.changed)
        return self._voice.when(raw) if raw else ""

    def _count(self) -> str:
        return str(self.count) if self.count > 0 else ""

    def _span(self) -> str:
        seconds = read_number(self._raw(NAMES.span))
        return self._voice.duration(float(seconds)) if seconds else ""

    def _lasted(self) -> str:
        start, end = read_time(self._alert.get("starts_at")), read_time(self._alert.get("ends_at"))
        return self._voice.duration((end - start).total_seconds()) if start and end and end > start else ""

    def _reaches(self) -> str:
        raw = self._raw(NAMES.reaches_at)
        return self._voice.when(raw) if raw else ""

    def _ahead(self) -> str:
        at, now = read_time(self._raw(NAMES.reaches_at)), self._voice.now
        return self._voice.ago(at.isoformat()) if at and now and at > now else ""

    def _name(self) -> str:
        return str(self._labels.get("alertname", ""))[:MAX_FACT]


_MADE: Final[dict[str, Callable[[Facts], object]]] = {
    "metric": Facts._metric,
    "value": lambda facts: facts._measured(NAMES.value),
    "threshold": lambda facts: facts._measured(NAMES.threshold),
    "expected": lambda facts: facts._measured(NAMES.expected),
    "lower": lambda facts: facts._measured(NAMES.lower),
    "upper": lambda facts: facts._measured(NAMES.upper),
    "is_above": lambda facts: facts._is_above(wanted=True),
    "is_below": lambda facts: facts._is_above(wanted=False),
    "is_absent": Facts._is_absent,
    "is_rate": Facts._is_rate,
    "is_trend": lambda facts: facts._is(NAMES.change, "trend"),
    "is_spread": lambda facts: facts._is(NAMES.change, "variance"),
    "is_returned": lambda facts: facts._is(NAMES.ended, "returned"),
    "is_settled": lambda facts: facts._is(NAMES.ended, "settled"),
    "changed": Facts._changed,
    "count": Facts._count,
    "span": Facts._span,
    "lasted": Facts._lasted,
    "reaches": Facts._reaches,
    "ahead": Facts._ahead,
    "name": Facts._name,
}
