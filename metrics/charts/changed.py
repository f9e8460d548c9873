"""A lasting change as a picture: the course before and after it, and the moment at which one became the other."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from metrics.changes.watch import rates_of
from metrics.models import Finding, Kind, Series
from metrics.thresholds.batch import Floats

#: So many deviations around the level are drawn where the fluctuation has changed.
DEVIATIONS: Final = 2.0


class Drawn(NamedTuple):
    """What a change adds to the course of its series; the edges are there where the fluctuation has changed."""

    moment: float
    expected: Floats
    low: Floats | None = None
    high: Floats | None = None


def drawn(finding: Finding, at: Floats) -> Drawn | None:
    """The course before and after the change of a finding; None where it tells of no change."""
    why = finding.why
    if finding.kind != "change" or finding.expected is None or finding.value is None or "changed_at" not in why:
        return None
    moment = datetime.fromisoformat(str(why["changed_at"])).timestamp()
    level = np.full(len(at), float(why.get("level", 0.0)))
    sides = np.where(at < moment, finding.expected, finding.value)
    if why.get("change") == "trend":
        return Drawn(moment, level + sides / float(why.get("per") or 1.0) * (at - moment))
    if why.get("change") == "variance":
        return Drawn(moment, level, level - DEVIATIONS * sides, level + DEVIATIONS * sides)
    return Drawn(moment, sides)


def shown(finding: Finding, series: Series, at: Floats, value: Floats) -> tuple[Floats, Floats]:
    """The numbers that were watched: of a counter its change a second."""
    if finding.kind != "change" or series.kind != Kind.COUNTER:
        return at, value
    return at, rates_of(at, value, None)
