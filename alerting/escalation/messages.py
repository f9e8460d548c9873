"""What an escalation says: the group as it is now, which level this is, and why this person."""

from datetime import timedelta

import msgspec
from django.utils import translation
from django.utils.translation import gettext as _

from alerting.configuration import Destination
from alerting.deciding import Telling
from alerting.due_groups import DueGroup
from alerting.exclusive import Moment
from alerting.messages import message_for
from alerting.needs import Reason
from alerting.oncall.reading import Person
from channels.message import Message
from channels.message import Reason as Said


def escalation_message(
    group: DueGroup, destination: Destination, moment: Moment, *, person: Person | None, why: str
) -> Message:
    """The message for one recipient, in their language where it is known."""
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
    message = message_for(telling, group, moment)
    locale = language_of(person, destination, moment)
    zone = (person.time_zone if person else "") or message.time_zone
    return msgspec.structs.replace(
        message, kind="escalation", reason=Said.ESCALATION, sent_reason=why, locale=locale, time_zone=zone
    )


def language_of(person: Person | None, destination: Destination, moment: Moment) -> str:
    """The reader's language: their own, else the channel's, else the tenant's."""
    return (person.locale if person else "") or destination.locale or moment.locale


def why_told(locale: str, *, policy: str, level: int, schedule: str, late_by: timedelta) -> str:
    """Say to a reader why they are called."""
    values = {"policy": policy, "level": level, "schedule": schedule, "minutes": int(late_by.total_seconds() // 60)}
    with translation.override(locale):
        said = _("level %(level)d of the escalation policy %(policy)s")
        if schedule:
            said = _("you are on call (%(schedule)s): level %(level)d of the escalation policy %(policy)s")
        if late_by >= timedelta(minutes=1):
            said = " · ".join([said, _("delayed by %(minutes)d min")])
        return said % values
