"""Whether what was found becomes an alert, how bad it is and how sure; pure decisions with their reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerting.severity import Severity
from metrics.trust.precision import Precision

#: Under this the data itself is in doubt.
POOR: Final = 0.3
#: What people set as a limit is told even from poor data, one step lower; what was learned is not.
LEARNED: Final = frozenset({"adaptive", "change", "entity", "forecast"})
_STEPS: Final = (Severity.INFO, Severity.WARNING, Severity.ERROR, Severity.CRITICAL)


class Because(StrEnum):
    """Why somebody is told, or is not."""

    ALWAYS = "always"
    NEVER = "never"
    EARNED = "earned"
    NOT_EARNED = "not_earned"
    POOR_DATA = "poor_data"


@dataclass(frozen=True, slots=True)
class Telling:
    """The decision about one finding."""

    is_told: bool
    because: Because
    severity: int
    confidence: float


def decide(kind: str, paging: str, severity: int, *, certainty: float, quality: float, precision: Precision) -> Telling:
    """Decide about a finding of a threshold; `certainty` is the detector's own, 1 for a limit that people set."""
    confidence = round(certainty * quality, 4)
    if paging == "never":
        return Telling(False, Because.NEVER, severity, confidence)
    is_poor = quality < POOR
    if is_poor and kind in LEARNED:
        return Telling(False, Because.POOR_DATA, severity, confidence)
    damped = _lower(severity) if is_poor else severity
    if paging == "earned":
        because = Because.EARNED if precision.is_enough else Because.NOT_EARNED
        return Telling(precision.is_enough, because, damped, confidence)
    return Telling(True, Because.ALWAYS, damped, confidence)


def _lower(severity: int) -> int:
    under = [int(step) for step in _STEPS if step < severity]
    return max(under, default=severity)
