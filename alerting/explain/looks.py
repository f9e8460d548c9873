"""The next looks of the flush at a group, judged as the flush judges them, with whom it was asked about."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from alerting.configuration import Compiled, Destination
from alerting.deciding import Judge, Telling, Verdict, _Aim
from alerting.due_groups import DueGroup
from alerting.muting import FiringSources
from alerting.needs import Outcome, Told, decide

#: Looks closer together than this are one to a person.
A_MOMENT: Final = timedelta(seconds=1)


class Asked(msgspec.Struct, frozen=True):
    """One recipient about whom the flush decides, with its decision."""

    destination: Destination
    recipient: str
    outcome: Outcome
    previous: Told | None


class Witness(Judge):
    """The judge of the flush, who also remembers whom it was asked about and what it answered."""

    def __init__(self, configuration: Compiled, sources: FiringSources, now: datetime) -> None:
        super().__init__(configuration, sources, now)
        self.asked: list[Asked] = []
        #: Channels a route leads to, whether or not anybody there can be told.
        self.aimed: list[UUID] = []

    def _ask(self, verdict: Verdict, channel_id: UUID, aim: _Aim | None) -> datetime | None:
        if aim is not None:
            self.aimed.append(channel_id)
        return super()._ask(verdict, channel_id, aim)

    def _decide(self, verdict: Verdict, destination: Destination, recipient: str, aim: _Aim) -> datetime | None:
        previous = verdict.group.told.get((destination.id, recipient))
        outcome = decide(previous, self._situation(verdict.group, destination, aim, previous), self.now)
        self.asked.append(Asked(destination, recipient, outcome, previous))
        return super()._decide(verdict, destination, recipient, aim)


class Looking(msgspec.Struct, frozen=True):
    """With what the flush looks at groups."""

    configuration: Compiled
    sources: FiringSources
    now: datetime

    def witness(self, at: datetime) -> Witness:
        """The judge of that time."""
        return Witness(self.configuration, self.sources, at)


class Looks(msgspec.Struct):
    """The next look of the flush at the group, and the one after it."""

    at: datetime | None
    witness: Witness
    verdict: Verdict | None = None
    afterwards: Verdict | None = None


def look(group: DueGroup | None, at: datetime | None, looking: Looking) -> Looks:
    """Judge as the flush would at that time; without a time, as it would now if it were asked."""
    looks = Looks(at, looking.witness(at or looking.now))
    if group is None:
        return looks
    looks.verdict = looks.witness.judge(group)
    while looks.at is not None and _is_hasty(looks.verdict, looks.at):
        looks.at = looks.verdict.due_at
        looks.witness = looking.witness(looks.at or looking.now)
        looks.verdict = looks.witness.judge(group)
    if looks.at is not None and looks.verdict.due_at is not None and not looks.verdict.closes:
        told = {(one.destination.id, one.recipient): _told(one, looks.at) for one in looks.verdict.tellings}
        later = msgspec.structs.replace(group, told=group.told | told)
        looks.afterwards = looking.witness(looks.verdict.due_at).judge(later)
    return looks


def _is_hasty(verdict: Verdict, at: datetime) -> bool:
    """Whether a look tells nobody and is followed at once by another: a timer rang a moment before its time."""
    return not verdict.tellings and verdict.due_at is not None and at < verdict.due_at < at + A_MOMENT


def _told(telling: Telling, at: datetime) -> Told:
    return Told(
        firing=telling.firing,
        resolved=telling.resolved,
        severity=telling.severity,
        was_flapping=telling.is_flapping,
        told_at=at,
    )
