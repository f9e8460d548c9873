"""What an escalation says: the group as it is now, which level this is, and why this person."""

from datetime import timedelta
from typing import Final

import msgspec

from alerting.configuration import Destination
from alerting.deciding import Telling
from alerting.due_groups import DueGroup
from alerting.exclusive import Moment
from alerting.messages import message_for
from alerting.muting import MaintenanceWindows
from alerting.needs import Reason
from alerting.oncall.reading import Person
from channels.languages import Voice
from channels.languages.voice import in_words
from channels.message import Message, Saying
from channels.message import Reason as Said

#: A call that comes later than this after its time says so.
SHORTEST_LATE: Final = timedelta(minutes=1)


def escalation_message(
    group: DueGroup,
    destination: Destination,
    moment: Moment,
    windows: MaintenanceWindows,
    *,
    person: Person | None,
    why: list[Saying],
) -> Message:
    """The message for one recipient, in their language where it is known, with the planned work they should know."""
    alerts = [alert for alert in group.alerts if alert.is_firing and not alert.muted_by]
    telling = Telling(
        destination=destination,
        recipient="",
        reason=Reason.REPEAT,
        firing=frozenset(alert.number for alert in alerts),
        resolved=frozenset(),
        severity=max((alert.severity for alert in alerts), default=group.severity),
        is_flapping=False,
        previous=None,
    )
    message = message_for(telling, group, moment, windows)
    locale = language_of(person, destination, moment)
    zone = (person.time_zone if person else "") or message.time_zone
    return msgspec.structs.replace(
        message,
        kind="escalation",
        reason=Said.ESCALATION,
        sent_reason=in_words(why, Voice(locale, zone, moment.now)),
        why=why,
        locale=locale,
        time_zone=zone,
    )


def language_of(person: Person | None, destination: Destination, moment: Moment) -> str:
    """The reader's language: their own, else the channel's, else the tenant's."""
    return (person.locale if person else "") or destination.locale or moment.locale


def why_told(*, policy: str, level: int, schedule: str, late_by: timedelta) -> list[Saying]:
    """Say to a reader why they are called; it is put into their language when it is sent."""
    values = {"policy": policy, "level": str(level)}
    said = Saying(key="escalation.level", values=values)
    if schedule:
        said = Saying(key="escalation.on_call", values=values | {"schedule": schedule})
    if late_by < SHORTEST_LATE:
        return [said]
    minutes = late_by // SHORTEST_LATE
    return [said, Saying(key="escalation.late", spans={"span": minutes * SHORTEST_LATE.total_seconds()})]
