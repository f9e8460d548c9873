"""What judging a subject came to: where it stands now, and what began or ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from metrics.judging.subjects import Subject
from metrics.judging.tracks import Track
from metrics.thresholds.batch import Floats
from metrics.thresholds.phases import Change, Phase, Standing, advance

#: Samples are kept to the millisecond; half of it tells equal times from later ones whatever the rounding.
GRAIN: Final = 0.0005


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers at the moment of a change; NaN never appears, what is unknown is None."""

    value: float | None = None
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    score: float | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One subject after its new samples."""

    subject: Subject
    before: Standing
    after: Standing
    changes: tuple[tuple[Change, Evidence], ...] = ()

    @property
    def must_be_kept(self) -> bool:
        """Whether its standing says more than that all is calm."""
        return self.after.phase is not Phase.CALM


def settle(subject: Subject, standing: Standing, track: Track) -> Outcome | None:
    """Judge the new part of a track; None when it was calm and stays so, which most are."""
    fresh = track.after(max(standing.until + GRAIN, subject.from_at - GRAIN))
    if not len(fresh.at) or (standing.phase is Phase.CALM and not fresh.entered.any()):
        return None
    after, changes = advance(standing, fresh.at, fresh.entered, fresh.left, subject.rule.patience(subject.interval))
    return Outcome(subject, standing, after, tuple((change, evidence(fresh, change.index)) for change in changes))


def evidence(track: Track, index: int) -> Evidence:
    """What a track shows at one of its samples."""
    return Evidence(
        _number(track.signal, index),
        _number(track.expected, index),
        _number(track.low, index),
        _number(track.high, index),
        _number(track.score, index),
        dict(track.tell(track.first + index)) if track.tell is not None else {},
    )


def _number(values: Floats | None, index: int) -> float | None:
    if values is None:
        return None
    value = float(values[index])
    return value if np.isfinite(value) else None
