"""Scoring in the drain: what the tenant's models say of alerts as they fire, and what they may change."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from alerting.exclusive import Moment
from alerting.models import Scoring
from alerting.scoring.cases import case_of, seen_of
from alerting.scoring.latest import Rules
from alerting.scoring.numerics.novelty import Novelty, NoveltyModel
from alerting.scoring.numerics.urgency import UrgencyModel


class UrgencyOf(msgspec.Struct, frozen=True):
    """How urgent one alert is, as it is stored with it."""

    probability: float
    #: The severity it came with, the one that what people did suggests, and the one it gets.
    was: int
    suggests: int
    becomes: int
    factors: list[tuple[str, float]]


class Scorer:
    """The models of one tenant under its rules, at one moment."""

    def __init__(
        self, novelty: NoveltyModel | None, urgency: UrgencyModel | None, rules: Rules, moment: Moment
    ) -> None:
        self._novelty, self._urgency, self._rules = novelty, urgency, rules
        self._now = moment.now
        self._local = moment.now.astimezone(ZoneInfo(moment.time_zone))

    def urgency(self, labels: Mapping[str, str], severity: int) -> UrgencyOf | None:
        """What people's past acts suggest for an alert with these labels; None before anything was learned."""
        model = self._urgency
        if model is None:
            return None
        (judged,) = model.judge([case_of(labels, severity, self._local)])
        becomes = self._become(severity, judged.severity) if self._may_apply(model) else severity
        factors = [(factor.word, factor.weight) for factor in judged.factors]
        return UrgencyOf(round(judged.probability, 3), severity, judged.severity, becomes, factors)

    def say_what_is_unusual(self, rows: Sequence[Any]) -> None:
        """Add to the scores of rows that fire together how unusual each is."""
        model = self._novelty
        if model is None or not rows:
            return
        judged = model.judge([seen_of(row.labels, row.severity, self._now) for row in rows])
        for row, novelty in zip(rows, judged, strict=True):
            row.scores = (row.scores or {}) | {"novelty": _plain(novelty)}

    def _may_apply(self, model: UrgencyModel) -> bool:
        precision = model.quality.precision if model.quality else None
        return self._rules.mode == Scoring.APPLY and precision is not None and precision >= self._rules.trust_floor

    def _become(self, severity: int, suggested: int) -> int:
        """The suggested severity, but none is lowered to below the tenant's floor."""
        return max(suggested, min(severity, self._rules.severity_floor))


def _plain(novelty: Novelty) -> dict[str, Any]:
    return {"probability": round(novelty.probability, 4), "reasons": list(novelty.reasons)}
