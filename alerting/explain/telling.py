"""Who would be told, told: each destination with the reason why, or why not, and when."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from alerting.explain.looks import Asked
from alerting.explain.prospect import Prospect
from alerting.explain.story import Destination, Detail, Step, StepKind, Verdict
from alerting.explain.words import Clock, listed
from alerting.needs import NotReason, Reason, Told
from channels import registry
from channels.delivery.choosing import open_gate
from channels.delivery.circuit import Health
from channels.models import Channel, DestinationHealth

#: Reasons that are not of `needs`: nobody gets as far as to be asked.
CHANNEL_OFF: Final = "channel_off"
NO_RECIPIENT: Final = "no_recipient"
NO_LOOK: Final = "no_look"

_WHY: Final[dict[Reason, Callable[[], str]]] = {
    Reason.FIRST: lambda: _("it is the first they hear of it"),
    Reason.NEW_ALERTS: lambda: _("there is an alert they have not heard of"),
    Reason.SEVERITY_RAISED: lambda: _("it has become more severe"),
    Reason.RESOLVED: lambda: _("an alert they were told of is over"),
    Reason.ALL_RESOLVED: lambda: _("everything they were told of is over"),
    Reason.REPEAT: lambda: _("it still fires, and the time to say so again has come"),
    Reason.FLAPPING: lambda: _("it began to flap, which is told once"),
    Reason.STOPPED_FLAPPING: lambda: _("it stopped flapping"),
}
_WHY_NOT: Final[dict[NotReason, Callable[[], str]]] = {
    NotReason.NOTHING_FIRING: lambda: _("nothing fires, and they were never told that it did"),
    NotReason.MUTED: lambda: _("it is muted"),
    NotReason.ALREADY_TOLD: lambda: _("they know all this already"),
    NotReason.ACKNOWLEDGED: lambda: _("somebody has acknowledged it, and nothing is new"),
    NotReason.REPEAT_NOT_DUE: lambda: _("they know it already, and it is too early to say it again"),
    NotReason.STILL_FLAPPING: lambda: _("it is flapping, and they know that"),
    NotReason.RESOLVED_NOT_WANTED: lambda: _("the channel does not want to hear that something is over"),
}


def destinations(prospect: Prospect, clock: Clock) -> list[Destination]:
    """Everybody the routes lead to or who was told before, with the decision about each."""
    asked = prospect.witness.asked
    wanted = {one.destination.id for one in asked} | set(prospect.witness.aimed)
    holds = _holds(wanted, prospect.decided_at)
    found = [_asked(one, prospect, holds.get(one.destination.id), clock) for one in asked]
    heard = {one.destination.id for one in asked}
    found += [
        _off(channel_id, prospect) for channel_id in dict.fromkeys(prospect.witness.aimed) if channel_id not in heard
    ]
    return found


def _asked(one: Asked, prospect: Prospect, hold: tuple[datetime, str] | None, clock: Clock) -> Destination:
    outcome, is_told = one.outcome, one.outcome.reason is not None and prospect.look_at is not None
    if is_told and outcome.reason is not None:
        text = _("Told at %(at)s: %(why)s.") % {"at": clock.at(prospect.decided_at), "why": _WHY[outcome.reason]()}
        if hold is not None:
            text += " " + hold[1]
    elif outcome.not_reason is not None:
        text = _("Not told: %(why)s.") % {"why": _WHY_NOT[outcome.not_reason]()}
        text += _since(one.previous, outcome.until, clock)
    else:
        text = _("Not told: nothing makes us look at the group again.")
    reason = str(outcome.reason if is_told else outcome.not_reason or NO_LOOK)
    return Destination(
        channel_id=one.destination.id,
        channel=one.destination.name,
        kind=one.destination.kind,
        recipient=one.recipient,
        is_told=is_told,
        reason=reason,
        verdict=(Verdict.FAULT if hold else Verdict.PASSED) if is_told else Verdict.QUIET,
        sentence=text,
        at=prospect.look_at if is_told else outcome.until,
        held_until=hold[0] if hold and is_told else None,
    )


def _since(previous: Told | None, until: datetime | None, clock: Clock) -> str:
    text = ""
    if previous is not None:
        text = " " + _("They were told last at %(at)s.") % {"at": clock.at(previous.told_at)}
    if until is not None:
        text += " " + _("If nothing changes, they are told again at %(at)s.") % {"at": clock.at(until)}
    return text


def _off(channel_id: UUID, prospect: Prospect) -> Destination:
    """A channel of the route where nobody can be told."""
    channel = prospect.configuration.channels.get(channel_id)
    name, kind = (channel.name, channel.kind) if channel is not None else (str(channel_id), "")
    if channel is not None and channel.is_active:
        text, reason = _("Not told: the channel names nobody to tell."), NO_RECIPIENT
    else:
        text, reason = _("Not told: the channel is switched off."), CHANNEL_OFF
    return Destination(
        channel_id=channel_id,
        channel=name,
        kind=kind,
        recipient="",
        is_told=False,
        reason=reason,
        verdict=Verdict.FAULT,
        sentence=text,
    )


def _holds(wanted: set[UUID], at: datetime) -> dict[UUID, tuple[datetime, str]]:
    """Channels that could not take a message then, with until when and why; by the gate the delivery asks."""
    rows = {row.channel_id: row for row in DestinationHealth.objects.filter(channel_id__in=wanted)}
    found: dict[UUID, tuple[datetime, str]] = {}
    for channel in Channel.objects.filter(pk__in=rows):
        row = rows[channel.pk]
        gate = open_gate(_health(row), _rate(channel), at)
        if gate.allowed < 1:
            found[channel.pk] = (gate.again_at, _held(row, gate.again_at, at))
    return found


def _held(row: DestinationHealth, again_at: datetime, at: datetime) -> str:
    values = {"until": Clock(at, "UTC").until(again_at), "why": row.blocked_reason}
    if row.circuit != DestinationHealth.Circuit.CLOSED:
        text = _("The message then waits: this channel has been failing and is tried again %(until)s.")
    else:
        text = _("The message then waits for the channel's rate limit: it goes out %(until)s.")
    return text % values + (f" ({row.blocked_reason})" if row.blocked_reason else "")


def _health(row: DestinationHealth) -> Health:
    return Health(
        row.channel_id,
        row.circuit,
        row.consecutive_failures,
        row.recent,
        row.recent_count,
        row.open_count,
        row.blocked_until,
        row.blocked_reason,
        row.tokens,
        row.tokens_at,
    )


def _rate(channel: Channel) -> int:
    if channel.rate_per_minute is not None:
        return channel.rate_per_minute
    return registry.adapter(channel.kind).default_rate_per_minute if channel.kind in registry.kinds() else 60


def people(found: list[Destination], prospect: Prospect) -> Step:
    """The step of destinations."""
    told = [one for one in found if one.is_told]
    details = tuple(
        Detail(
            verdict=one.verdict,
            code=one.reason,
            subject="channel",
            id=one.channel_id,
            name=one.channel,
            at=one.at,
            sentence=whole(one),
            data={"recipient": one.recipient, "is_told": one.is_told, "held_until": one.held_until},
        )
        for one in found
    )
    if told:
        sentence = _("These are told: %(names)s.") % {"names": names(told)}
    elif found:
        sentence = _("Nobody is told.")
    else:
        sentence = _("There is nobody to tell.")
    verdict = Verdict.PASSED if told else Verdict.QUIET
    return Step(kind=StepKind.PEOPLE, verdict=verdict, title=_("Who is told"), sentence=sentence, details=details)


def whole(one: Destination) -> str:
    """The decision about a destination as a sentence of its own, with its name."""
    name = f"{one.channel} ({one.recipient})" if one.recipient else one.channel
    return f"{name}: {one.sentence}"


def names(told: list[Destination]) -> str:
    """The destinations in one line, each channel once."""
    return listed(dict.fromkeys(one.channel for one in told))
