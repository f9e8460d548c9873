"""Two weeks of a schedule drawn as strips: one for each layer, one for what comes out of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from alerting.oncall.findings import AHEAD
from alerting.oncall.rotation import Shift
from alerting.oncall.schedule import Schedule, final, gaps, layer_shifts
from alerting.oncall.wallclock import instant, wall
from tenants.models import User

TONES: Final = ("blue", "green", "orange", "yellow", "red", "grey")
DAY: Final = timedelta(days=1)


class Bar(msgspec.Struct, frozen=True):
    """A piece of a strip: where it lies in per cent, what it says, its tone."""

    left: str
    width: str
    name: str
    title: str
    tone: str


class Strip(msgspec.Struct, frozen=True):
    """A line of the drawing."""

    name: str
    bars: list[Bar]


class Drawing(msgspec.Struct, frozen=True):
    """The whole calendar."""

    days: list[tuple[str, str]]
    strips: list[Strip]
    zone: str
    now: str


def draw(schedule: Schedule, now: datetime) -> Drawing:
    """Fourteen days from this morning on the schedule's wall clock."""
    zone = schedule.zone
    first = wall(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = instant(first, zone), instant(first + AHEAD, zone)
    layers = [(layer.name, layer_shifts(schedule, layer, start, end)) for layer in schedule.layers]
    course = final(schedule, start, end)
    people = sorted({shift.person for _name, shifts in [*layers, ("", course)] for shift in shifts}, key=str)
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=people)}
    tones = {person: TONES[number % 4] for number, person in enumerate(people)}
    painter = _Painter(start, end, schedule, names, tones)
    strips = [Strip(name, painter.bars(shifts)) for name, shifts in layers]
    strips.append(
        Strip(_("On call"), sorted(painter.bars(course) + painter.holes(course), key=lambda bar: float(bar.left)))
    )
    days = [
        (date_format(first + number * DAY, "D j"), painter.place(instant(first + number * DAY, zone)))
        for number in range(AHEAD.days)
    ]
    return Drawing(days, strips, schedule.time_zone, painter.place(now))


class _Painter:
    def __init__(
        self,
        start: datetime,
        end: datetime,
        schedule: Schedule,
        names: Mapping[UUID, str],
        tones: Mapping[UUID, str],
    ) -> None:
        self.start, self.end, self.zone = start, end, schedule.zone
        self.names, self.tones = names, tones

    def place(self, at: datetime) -> str:
        """A time as per cent of the strip; a text, so that no locale writes a comma into the style."""
        return f"{100 * ((at - self.start) / (self.end - self.start)):.3f}"

    def bars(self, shifts: Sequence[Shift]) -> list[Bar]:
        return [
            self._bar(shift.starts_at, shift.ends_at, self.names.get(shift.person, "?"), self.tones[shift.person])
            for shift in shifts
        ]

    def holes(self, course: Sequence[Shift]) -> list[Bar]:
        """The times at which nobody is on call."""
        return [self._bar(start, end, _("nobody"), "red") for start, end in gaps(course, self.start, self.end)]

    def _bar(self, start: datetime, end: datetime, name: str, tone: str) -> Bar:
        width = f"{100 * ((end - start) / (self.end - self.start)):.3f}"
        times = " – ".join(date_format(wall(at, self.zone), "D j M H:i") for at in (start, end))
        return Bar(self.place(start), width, name, f"{name}: {times}", tone)


def context(schedule: Schedule, now: datetime) -> dict[str, Any]:
    """What the template of the drawing asks for."""
    return {"drawing": draw(schedule, now)}
