"""From flags in time to alerts: pending for a while, firing, recovering for a while, over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from metrics.thresholds.batch import Flags, Floats, Ints

_FEW: Final = 8


class Phase(IntEnum):
    """Where a subject stands; stored, so the numbers stay."""

    CALM = 0
    PENDING = 1
    FIRING = 2
    RECOVERING = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """A phase, since when, and up to which time it has been judged."""

    phase: Phase = Phase.CALM
    since: float = 0.0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long it must last before it fires and before it is over; a silence longer than `gap` starts anew."""

    hold: float = 0.0
    keep: float = 0.0
    gap: float = 900.0


@dataclass(frozen=True, slots=True)
class Change:
    """An alert began (or ended) with the sample of this index; `since` is when the crossing itself began."""

    index: int
    at: float
    since: float
    is_raised: bool


def advance(
    standing: Standing, at: Floats, entered: Flags, left: Flags, patience: Patience
) -> tuple[Standing, list[Change]]:
    """Carry a standing over further samples of one subject, oldest first."""
    changes: list[Change] = []
    for index in _telling(standing, at, entered, left, patience):
        now, before = float(at[index]), float(at[index - 1]) if index else standing.until
        if standing.phase is Phase.PENDING and now - before > patience.gap:
            standing = Standing(Phase.CALM, now, now)
        standing, change = _step(standing, now, bool(entered[index]), bool(left[index]), patience)
        if change is not None:
            changes.append(Change(int(index), now, change, standing.phase is Phase.FIRING))
    if len(at):
        standing = Standing(standing.phase, standing.since, float(at[-1]))
    return standing, changes


def _step(
    standing: Standing, now: float, entered: bool, left: bool, patience: Patience
) -> tuple[Standing, float | None]:
    """The standing after one sample; with it, when an alert began or ended, since when that was in sight."""
    phase, since = _moved(standing.phase, entered, left), standing.since
    if phase is not standing.phase:
        since = now
    if phase is Phase.PENDING and now - since >= patience.hold:
        return Standing(Phase.FIRING, now, now), since
    if phase is Phase.RECOVERING and now - since >= patience.keep:
        return Standing(Phase.CALM, now, now), since
    return Standing(phase, since, now), None


def _moved(phase: Phase, entered: bool, left: bool) -> Phase:
    if phase is Phase.CALM:
        return Phase.PENDING if entered else phase
    if phase is Phase.PENDING:
        return phase if entered else Phase.CALM
    return Phase.RECOVERING if left else Phase.FIRING


def _telling(standing: Standing, at: Floats, entered: Flags, left: Flags, patience: Patience) -> Ints:
    """The samples at which something can change; a month of minutes has few of them.

    Those are: where a flag changes, the first one after a silence, and within a run of equal flags the first
    sample at which a wait is over, also one that began before this batch.
    """
    count = len(at)
    if count <= _FEW:
        return np.arange(count, dtype=np.int64)
    turns = np.flatnonzero((entered[1:] != entered[:-1]) | (left[1:] != left[:-1])) + 1
    silences = np.flatnonzero(np.diff(at) > patience.gap) + 1
    starts = np.unique(np.concatenate([[0], turns, silences]))
    begun = np.concatenate([at[starts], [standing.since]])
    ends = np.append(turns, count)[np.searchsorted(turns, np.append(starts, 0), side="right")]
    held = np.searchsorted(at, begun + patience.hold, side="left")
    kept = np.searchsorted(at, begun + patience.keep, side="left")
    return np.unique(np.concatenate([starts, held[held < ends], kept[kept < ends]])).astype(np.int64)
