"""The alerts a track would have raised, one after the other; pure numerics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metrics.judging.outcomes import Evidence, evidence
from metrics.judging.tracks import Track
from metrics.thresholds.phases import Patience, Standing, advance


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert: when its crossing began, when it was raised, when it was over (None: it goes on)."""

    began: float
    raised: float
    ended: float | None
    evidence: Evidence
    #: The value furthest from what it was when calm.
    peak: float | None

    def overlaps(self, began: float, ended: float, tolerance: float) -> bool:
        """Whether it falls together with a stretch of time."""
        return self.began - tolerance <= ended and (self.ended is None or self.ended + tolerance >= began)


def episodes(track: Track, patience: Patience, start: float) -> list[Episode]:
    """What a track would have raised from a moment on, by the very steps by which samples are judged."""
    track = track.after(start)
    _standing, changes = advance(Standing(), track.at, track.entered, track.left, patience)
    found: list[Episode] = []
    for number, change in enumerate(changes):
        if not change.is_raised:
            continue
        end = changes[number + 1] if number + 1 < len(changes) else None
        last = end.index if end is not None else len(track.at)
        shown = evidence(track, change.index)
        ended = end.at if end is not None else None
        found.append(Episode(change.since, change.at, ended, shown, _peak(track, change.index, last, shown)))
    return found


def _peak(track: Track, first: int, last: int, shown: Evidence) -> float | None:
    piece = track.signal[first : max(last, first + 1)]
    piece = piece[np.isfinite(piece)]
    if not len(piece):
        return None
    # What a trend or a deviation was before is no level to measure a sample from.
    middle = shown.details.get("level", shown.expected)
    if middle is None:
        calm = track.signal[np.isfinite(track.signal)]
        middle = float(np.median(calm))
    return float(piece[np.argmax(np.abs(piece - middle))])


def downtime(found: list[Episode], end: float) -> float:
    """For how many seconds something was firing."""
    return sum((one.ended if one.ended is not None else end) - one.raised for one in found)
