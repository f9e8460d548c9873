"""Where in the local day and week a moment lies."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

import numpy as np

from metrics.seasons.points import Floats, Ints

DAY = 86400.0
SUNDAY = 6
EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday
QUARTER = 900.0  # no zone changes its offset anywhere but at a quarter of an hour


@dataclass(frozen=True, slots=True)
class Calendar:
    """The local time people live by. On `holidays` (local dates) they behave as on a Sunday."""

    zone: tzinfo = UTC
    holidays: frozenset[date] = frozenset()

    def local(self, at: Floats) -> Floats:
        """Unix seconds shifted so that whole days of 86,400 s are local days."""
        if self.zone is UTC:
            return at
        quarters, which = np.unique(np.floor(at / QUARTER), return_inverse=True)
        offsets = np.array([self._offset(quarter * QUARTER) for quarter in quarters])
        shifted: Floats = at + offsets[which]
        return shifted

    def _offset(self, at: float) -> float:
        offset = datetime.fromtimestamp(at, self.zone).utcoffset()
        return offset.total_seconds() if offset is not None else 0.0

    def place(self, at: Floats) -> tuple[Ints, Ints, Floats]:
        """Per moment: local day (since 1970), weekday (Monday 0; a holiday counts as Sunday), second of the day."""
        local = self.local(at)
        days = np.floor(local / DAY)
        numbers = days.astype(np.int64)
        weekdays = (numbers + EPOCH_WEEKDAY) % 7
        if self.holidays:
            free = [(day - date(1970, 1, 1)).days for day in self.holidays]
            weekdays[np.isin(numbers, free)] = SUNDAY
        return numbers, weekdays, local - days * DAY
