"""Whom the targets of a level come to, at which contact and when: schedules, members and channels resolved."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from alerting.configuration import Compiled, Destination
from alerting.escalation.plan import Level, Target
from alerting.oncall.reading import Person, read_people, read_schedules
from alerting.oncall.schedule import Schedule, on_call
from alerting.timeline import Why

AT_ONCE: Final = timedelta(0)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a level: whom, where, how long after the level."""

    who: str
    channel_id: UUID
    recipient: str
    after: timedelta = AT_ONCE
    person: Person | None = None
    #: The schedule that put them there.
    schedule: str = ""


class Miss(msgspec.Struct, frozen=True):
    """A target that came to nobody, and why."""

    target: Target
    name: str
    why: Why


class Book(msgspec.Struct, frozen=True):
    """What is known of everybody a number of levels may call, at one moment."""

    now: datetime
    schedules: Mapping[UUID, Schedule]
    on_call: Mapping[UUID, UUID]
    people: Mapping[UUID, Person]
    channels: Mapping[UUID, Destination]

    def calls(self, level: Level) -> tuple[list[Call], list[Miss]]:
        """What a level tells, each contact once, and the targets that come to nobody."""
        found: dict[tuple[UUID, str], Call] = {}
        misses: list[Miss] = []
        for target in level.targets:
            calls = self._of(target, level.importance)
            if isinstance(calls, Miss):
                misses.append(calls)
                continue
            for call in calls:
                key = (call.channel_id, call.recipient)
                if key not in found or call.after < found[key].after:
                    found[key] = call
        return list(found.values()), misses

    def _of(self, target: Target, importance: str) -> list[Call] | Miss:
        if target.kind == "channel":
            return self._channel(target)
        if target.kind == "member":
            return self._person(target, target.id, "", importance)
        schedule = self.schedules.get(target.id)
        if schedule is None:
            return Miss(target, "", Why.TARGET_GONE)
        person = self.on_call.get(target.id)
        if person is None:
            return Miss(target, schedule.name, Why.NOBODY_ON_CALL)
        return self._person(target, person, schedule.name, importance)

    def _channel(self, target: Target) -> list[Call] | Miss:
        destination = self.channels.get(target.id)
        if destination is None:
            return Miss(target, "", Why.TARGET_GONE)
        if not destination.is_active:
            return Miss(target, destination.name, Why.CHANNEL_OFF)
        if not destination.recipients:
            return Miss(target, destination.name, Why.NO_RECIPIENT)
        return [
            Call(who=destination.name, channel_id=destination.id, recipient=recipient)
            for recipient in destination.recipients
        ]

    def _person(self, target: Target, person_id: UUID, schedule: str, importance: str) -> list[Call] | Miss:
        person = self.people.get(person_id)
        if person is None:
            return Miss(target, schedule, Why.TARGET_GONE)
        stages = person.stages(importance, target.via)
        if not stages:
            return Miss(target, person.name, Why.NO_CONTACT)
        return [
            Call(
                who=person.name,
                channel_id=contact.channel_id,
                recipient=contact.address,
                after=after,
                person=person,
                schedule=schedule,
            )
            for after, contact in stages
        ]


def open_book(levels: Iterable[Level], configuration: Compiled, at: datetime) -> Book:
    """Read everything these levels may need at one moment; at most six statements."""
    wanted = list(levels)
    books = open_books([(level, at) for level in wanted], configuration)
    return books[0] if books else Book(at, {}, {}, {}, configuration.channels)


def open_books(levels: Sequence[tuple[Level, datetime]], configuration: Compiled) -> list[Book]:
    """One book for each level at its own time; together at most six statements."""
    if not levels:
        return []
    targets = [target for level, _at in levels for target in level.targets]
    ids = {target.id for target in targets if target.kind == "schedule"}
    times = {at for _level, at in levels}
    schedules = read_schedules(ids, min(times)) if ids else {}
    there = {at: _on_call(schedules, at) for at in times}
    wanted = {target.id for target in targets if target.kind == "member"}
    wanted |= {person for people in there.values() for person in people.values()}
    people = read_people(wanted)
    return [Book(at, schedules, there[at], people, configuration.channels) for _level, at in levels]


def _on_call(schedules: Mapping[UUID, Schedule], at: datetime) -> dict[UUID, UUID]:
    shifts = {one.id: on_call(one, at) for one in schedules.values()}
    return {schedule_id: shift.person for schedule_id, shift in shifts.items() if shift is not None}
