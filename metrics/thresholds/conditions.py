"""What a threshold may ask, one typed form a kind; read from and judged as the JSON that a row stores."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta

MAX_PARTS: Final = 8
MAX_MATCHERS: Final = 16
MAX_METRICS: Final = 32
WEEK: Final = 7 * 86_400
WATCHED: Final[tuple[Watched, ...]] = ("level", "trend", "variance")

Number = float
MetricName = Annotated[str, Meta(min_length=1, max_length=256)]
LabelName = Annotated[str, Meta(min_length=1, max_length=128)]
Labels = Annotated[list[LabelName], Meta(max_length=16)]
Seconds = Annotated[int, Meta(ge=0, le=31 * 86_400)]
Window = Annotated[int, Meta(ge=1, le=31 * 86_400)]
Take = Literal["last", "mean", "min", "max", "sum", "count"]
Side = Literal["both", "up", "down"]
Watched = Literal["level", "trend", "variance"]
Country = Annotated[str, Meta(pattern="^([A-Z]{2})?$")]


class ConditionError(ValueError):
    """The settings of a condition are not what its kind understands; `message` is for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Bounds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits, and the further ones behind which it is over again: between the two nothing changes."""

    above: Number | None = None
    clear_above: Number | None = None
    below: Number | None = None
    clear_below: Number | None = None

    @property
    def upper_end(self) -> float | None:
        """Where what went over the upper limit counts as back."""
        return self.above if self.clear_above is None else self.clear_above

    @property
    def lower_end(self) -> float | None:
        """Where what went under the lower limit counts as back."""
        return self.below if self.clear_below is None else self.clear_below


class Static(Bounds, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The value, or what `take` makes of its last `over` seconds, lies beyond a limit."""

    take: Take = "last"
    over: Seconds = 0


class Rate(Bounds, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The change over the last `over` seconds, as so much in `per` seconds, lies beyond a limit."""

    over: Window = 300
    per: Window = 1


class Ratio(Bounds, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sum of this metric over that of another, series with equal `on` labels together."""

    divide_by: MetricName
    on: Labels = []
    over: Window = 300
    least: Annotated[float, Meta(ge=0)] = 0.0


class Comparison(Bounds, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mean of the last `over` seconds differs from that of the same time `ago` by so many per cent."""

    over: Window = 3_600
    ago: Window = WEEK


class Absence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing came for so many seconds."""

    after: Annotated[int, Meta(ge=30, le=31 * 86_400)] = 900


class Sensitive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How readily something counts as unusual.

    `sensitivity` is where people put it, the tenant's unless given; feedback moves it between `least` and `most` and
    no further.
    """

    sensitivity: Annotated[float, Meta(ge=0, le=1)] | None = None
    least: Annotated[float, Meta(ge=0, le=1)] = 0.2
    most: Annotated[float, Meta(ge=0, le=1)] = 0.8


class Learns(Sensitive, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is learned of a series by the day and the week; `holidays` names another country than the tenant's."""

    holidays: Country = ""


class Adaptive(Learns, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is unusual for this very series: outside its learned band, or striking to a streaming detector.

    `detector` fuses several views of a series, `tail` sees what lies far from its season, `forest` shapes seldom seen.
    """

    method: Literal["band", "detector", "tail", "forest"] = "detector"
    side: Side = "both"


class Changes(Learns, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A series has changed for good: its level, its trend, or how much it varies.

    A change is at least `least_change` (in the unit of the series) and `least_percent` of what was before; a trend is
    measured by what it adds in `per` seconds. It is over when it is undone, or has been usual for `settled` seconds.
    """

    watch: Annotated[tuple[Watched, ...], Meta(min_length=1, max_length=3)] = WATCHED
    side: Side = "both"
    least_change: Annotated[float, Meta(ge=0, le=1e300)] = 0.0
    least_percent: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    per: Annotated[int, Meta(ge=60, le=31 * 86_400)] = 3_600
    settled: Annotated[int, Meta(ge=600, le=31 * 86_400)] = 6 * 3_600


class Entity(Sensitive, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several metrics of one entity do not fit together; series with equal `on` labels are one entity.

    They are looked at every `step` seconds, each by its mean or its latest value.
    """

    metrics: Annotated[list[MetricName], Meta(min_length=2, max_length=MAX_METRICS)]
    on: Labels = []
    step: Annotated[int, Meta(ge=60, le=3_600, multiple_of=60)] = 60


class Forecast(Bounds, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """It is going to cross a limit within `horizon` seconds, and the forecast is so sure of it."""

    horizon: Window = 86_400
    confidence: Annotated[float, Meta(gt=0.5, lt=1)] = 0.9
    holidays: Country = ""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several conditions: which series, and what about them."""

    metric: MetricName
    kind: Literal["static", "rate", "comparison"] = "static"
    matchers: Annotated[list[dict[str, str]], Meta(max_length=MAX_MATCHERS)] = []
    settings: dict[str, Any] = {}


class Composite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All or any of several conditions, series with equal `on` labels together."""

    need: Literal["all", "any"] = "all"
    on: Labels = []
    parts: Annotated[list[Part], Meta(min_length=1, max_length=MAX_PARTS)]


Condition = Static | Rate | Ratio | Comparison | Absence | Adaptive | Changes | Forecast | Composite | Entity
#: Kinds whose limits people set on one number that is made of the samples.
Plain = Static | Rate | Comparison

KINDS: Final[dict[str, type[Any]]] = {
    "static": Static,
    "rate": Rate,
    "ratio": Ratio,
    "comparison": Comparison,
    "absence": Absence,
    "adaptive": Adaptive,
    "change": Changes,
    "forecast": Forecast,
    "composite": Composite,
    "entity": Entity,
}


def read_condition(kind: str, settings: object) -> Condition:
    """Turn stored settings into the condition; raise ConditionError that says what is wrong with them."""
    form = KINDS.get(kind)
    if form is None:
        raise ConditionError(_("There is no such kind of threshold."))
    try:
        condition: Condition = msgspec.convert(settings, form)
    except msgspec.ValidationError as error:
        raise ConditionError(str(error)) from error
    _check(condition)
    return condition


def part_condition(part: Part) -> Plain:
    """The condition of one part of a composite."""
    condition = read_condition(part.kind, part.settings)
    if not isinstance(condition, Static | Rate | Comparison):
        raise ConditionError(_("A part is static, a rate or a comparison."))
    return condition


def _check(condition: Condition) -> None:
    if isinstance(condition, Bounds):
        _check_bounds(condition)
    if isinstance(condition, Static) and condition.take != "last" and not condition.over:
        raise ConditionError(_("Say over how many seconds: over."))
    if isinstance(condition, Entity) and len(set(condition.metrics)) < 2:
        raise ConditionError(_("Name two metrics or more."))
    if isinstance(condition, Sensitive):
        middle = condition.least if condition.sensitivity is None else condition.sensitivity
        if not condition.least <= middle <= condition.most:
            raise ConditionError(_("The sensitivity lies between least and most."))
    if isinstance(condition, Composite):
        for part in condition.parts:
            part_condition(part)


def _check_bounds(bounds: Bounds) -> None:
    if bounds.above is None and bounds.below is None:
        raise ConditionError(_("Give a limit: above, below or both."))
    numbers = (bounds.above, bounds.below, bounds.clear_above, bounds.clear_below)
    if any(number is not None and abs(number) > 1e300 for number in numbers):
        raise ConditionError(_("A limit is a number of a usual size."))
    if bounds.above is not None and bounds.clear_above is not None and bounds.clear_above > bounds.above:
        raise ConditionError(_("clear_above lies at or under above."))
    if bounds.below is not None and bounds.clear_below is not None and bounds.clear_below < bounds.below:
        raise ConditionError(_("clear_below lies at or over below."))
    if bounds.above is not None and bounds.below is not None and bounds.below >= bounds.above:
        raise ConditionError(_("below lies under above."))


def lookback(condition: Condition) -> int:
    """How many seconds before a sample its judgement needs."""
    if isinstance(condition, Composite):
        return max(lookback(part_condition(part)) for part in condition.parts)
    if isinstance(condition, Comparison):
        return condition.ago + condition.over
    if isinstance(condition, Static | Rate | Ratio):
        return condition.over
    return 0


def metrics_of(metric: str, condition: Condition) -> list[str]:
    """The names of all metrics that a threshold reads."""
    if isinstance(condition, Composite):
        return sorted({part.metric for part in condition.parts})
    if isinstance(condition, Ratio):
        return sorted({metric, condition.divide_by})
    if isinstance(condition, Entity):
        return sorted(set(condition.metrics))
    return [metric]
