"""Alerts as the numerics look at them: the same words when a model learns and when it judges."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from alerting.matchers import LEVEL
from alerting.scoring.numerics.rarity import Seen
from alerting.scoring.numerics.urgency import Case

#: Said by the severity itself.
_NOT_WORDS: Final = frozenset({"severity", LEVEL})
MAX_WORDS: Final = 40


def case_of(labels: Mapping[str, str], severity: int, local: datetime, *, acted: bool | None = None) -> Case:
    """What decides how urgent an alert is: its labels, its severity, the part of the day in the tenant's zone."""
    words = [f"{name}={value}" for name, value in labels.items() if name not in _NOT_WORDS][:MAX_WORDS]
    day = "weekend" if local.weekday() >= 5 else "weekday"
    return Case((*words, f"{day} {local.hour // 6 * 6:02d} h"), severity, acted)


def seen_of(labels: Mapping[str, str], severity: int, at: datetime) -> Seen:
    """What decides how unusual an alert is."""
    return Seen(labels, at.hour, int(at.timestamp()) // 60, severity)
