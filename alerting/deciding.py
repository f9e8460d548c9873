"""Who is told about a group now, why, and who is not and why not: pure decisions, no database."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from alerting import flapping
from alerting.configuration import Compiled, Destination
from alerting.due_groups import DueAlert, DueGroup
from alerting.flapping import Turn
from alerting.muting import FiringSources, Muted
from alerting.needs import NotReason, Reason, Situation, Told, decide
from alerting.timeline import Event, Kind, Why

#: Reasons of `needs` that are worth a line in the timeline; the others only say that nothing is new.
_WORTH_SAYING: Final = {
    NotReason.ACKNOWLEDGED: Why.IS_ACKNOWLEDGED,
    NotReason.STILL_FLAPPING: Why.IS_FLAPPING,
    NotReason.RESOLVED_NOT_WANTED: Why.RESOLVE_NOT_WANTED,
    NotReason.MUTED: Why.ALL_MUTED,
}


#: The least time between two looks at a group that only time brings.
SHORTEST_LOOK: Final = timedelta(seconds=1)


class Telling(msgspec.Struct, kw_only=True):
    """One destination to be told."""

    destination: Destination
    recipient: str
    reason: Reason
    firing: frozenset[int]
    resolved: frozenset[int]
    severity: int
    is_flapping: bool
    previous: Told | None


class Verdict(msgspec.Struct, kw_only=True):
    """All that follows for one group."""

    group: DueGroup
    tellings: list[Telling] = []
    #: Reasons why somebody is not told, each with the channels it holds for.
    untold: dict[str, set[str]] = {}
    events: list[Event] = []
    #: Alerts whose muting or flapping changed.
    altered: list[DueAlert] = []
    closes: bool = False
    due_at: datetime | None = None


class _Aim(msgspec.Struct):
    """The firing alerts that routes lead to one channel."""

    firing: dict[int, DueAlert] = {}
    #: Alerts that flap and do not fire at the moment.
    resting: set[int] = set()
    muted_count: int = 0
    is_muted_flapping: bool = False
    repeat_interval: timedelta | None = None

    def take(self, alert: DueAlert, repeat_interval: timedelta) -> None:
        """Count an alert that a route leads here."""
        self.repeat_interval = min(self.repeat_interval or repeat_interval, repeat_interval)
        if not alert.is_firing:
            self.resting.add(alert.number)
        elif alert.muted_by:
            self.muted_count += 1
            self.is_muted_flapping = self.is_muted_flapping or alert.flapping.is_flapping
        else:
            self.firing[alert.number] = alert


class Judge:
    """Decides about many groups with the configuration and the sources of inhibition of one moment."""

    def __init__(self, configuration: Compiled, sources: FiringSources, now: datetime) -> None:
        self.configuration = configuration
        self.sources = sources
        self.now = now

    def judge(self, group: DueGroup) -> Verdict:
        """Work out everything for one group."""
        verdict = Verdict(group=group)
        due = [self._settle(alert, verdict) for alert in group.alerts]
        aims = self._aim(group, verdict)
        channels = {*aims, *(channel_id for channel_id, _recipient in group.told)}
        for channel_id in sorted(channels):
            due.append(self._ask(verdict, channel_id, aims.get(channel_id)))
        is_over = group.firing_count == 0 and not any(alert.flapping.is_flapping for alert in group.alerts)
        if is_over and not group.told and not verdict.tellings and group.status != "resolved":
            verdict.untold.setdefault(Why.ENDED_BEFORE_TOLD, set())
        verdict.closes = is_over and group.status != "resolved"
        if not is_over:
            # What is past already was looked at just now; a moment later keeps a group from being due for ever.
            soonest = self.now + SHORTEST_LOOK
            verdict.due_at = min((at if at > self.now else soonest for at in due if at is not None), default=None)
        return verdict

    def mutes(self, labels: Mapping[str, str]) -> list[Muted]:
        """What mutes an alert now."""
        return [
            *self.configuration.silences.muting(labels, self.now),
            *self.configuration.inhibitor.muting(labels, self.sources),
            *self.configuration.windows.muting(labels, self.now),
        ]

    def _settle(self, alert: DueAlert, verdict: Verdict) -> datetime | None:
        """Bring muting and flapping of an alert up to date; return when to look at it again."""
        again = self._steady(alert, verdict)
        mutes = self.mutes(alert.labels) if alert.is_firing else []
        if mutes:
            ends = [mute.until for mute in mutes if mute.until is not None]
            # While something without an end mutes it too, that end brings its own look.
            if ends and len(ends) == len(mutes):
                again = max(ends) if again is None else min(again, max(ends))
        muted_by = [{"kind": str(mute.kind), "id": str(mute.id), "name": mute.name} for mute in mutes] or None
        if muted_by != alert.muted_by:
            kind = Kind.MUTED if muted_by else Kind.UNMUTED
            reason = str(mutes[0].kind) if mutes else ""
            if alert.is_firing:
                verdict.events.append(self._event(kind, verdict, alert, reason, {"by": muted_by}))
            alert.muted_by = muted_by
            _alter(verdict, alert)
        return again

    def _steady(self, alert: DueAlert, verdict: Verdict) -> datetime | None:
        if not alert.flapping.is_flapping:
            return None
        state, turned = flapping.advance(alert.flapping, self.now, self.configuration.thresholds)
        if turned is Turn.STOPPED:
            verdict.events.append(self._event(Kind.FLAPPING_STOPPED, verdict, alert, "", {"changes": state.count}))
            alert.flapping = state
            _alter(verdict, alert)
            return None
        return flapping.ends_at(state, self.configuration.thresholds)

    def _event(self, kind: Kind, verdict: Verdict, alert: DueAlert, reason: str, data: dict[str, Any]) -> Event:
        return Event(kind=kind, group_id=verdict.group.id, alert_id=alert.id, reason=reason, data=data)

    def _aim(self, group: DueGroup, verdict: Verdict) -> dict[UUID, _Aim]:
        """Route every alert that fires or flaps; note where a route leads to nobody."""
        aims: dict[UUID, _Aim] = defaultdict(_Aim)
        routes = self.configuration.routes
        for alert in group.alerts:
            if not alert.is_firing and not alert.flapping.is_flapping:
                continue
            if routes is None:
                verdict.untold.setdefault(self._no_routes(), set())
                continue
            for route in routes.route(alert.labels):
                if not route.channel_ids:
                    why = Why.NO_CHANNEL if route.policy_id is None else Why.ONLY_CALLS
                    verdict.untold.setdefault(why, set()).add(route.name)
                for channel_id in route.channel_ids:
                    aims[channel_id].take(alert, route.timers.repeat_interval)
        return aims

    def _no_routes(self) -> Why:
        return (
            Why.BROKEN_ROUTES if any(fault.kind == "route" for fault in self.configuration.faults) else Why.NO_CHANNEL
        )

    def _ask(self, verdict: Verdict, channel_id: UUID, aim: _Aim | None) -> datetime | None:
        """Decide for each recipient of a channel; return when time alone could change the answer."""
        destination = self.configuration.channels.get(channel_id)
        if destination is None:
            return None
        if aim is not None and (not destination.is_active or not destination.recipients):
            why = Why.NO_RECIPIENT if destination.is_active else Why.CHANNEL_OFF
            verdict.untold.setdefault(why, set()).add(destination.name)
        if not destination.is_active:
            return None
        told = [recipient for channel, recipient in verdict.group.told if channel == channel_id]
        recipients = dict.fromkeys([*(destination.recipients if aim is not None else ()), *told])
        # Someone who is no longer a recipient of the channel is not told any more, not even of the end.
        again = [
            self._decide(verdict, destination, recipient, aim or _Aim())
            for recipient in recipients
            if recipient in destination.recipients
        ]
        return min((at for at in again if at is not None), default=None)

    def _decide(self, verdict: Verdict, destination: Destination, recipient: str, aim: _Aim) -> datetime | None:
        previous = verdict.group.told.get((destination.id, recipient))
        situation = self._situation(verdict.group, destination, aim, previous)
        outcome = decide(previous, situation, self.now)
        if outcome.reason is not None:
            verdict.tellings.append(
                Telling(
                    destination=destination,
                    recipient=recipient,
                    reason=outcome.reason,
                    firing=frozenset(situation.firing),
                    resolved=frozenset(situation.resolved),
                    severity=situation.severity,
                    is_flapping=situation.is_flapping,
                    previous=previous,
                )
            )
            is_repeated = situation.firing and situation.repeat_interval and not situation.is_acknowledged
            return self.now + situation.repeat_interval if is_repeated and situation.repeat_interval else None
        why = _WORTH_SAYING.get(outcome.not_reason) if outcome.not_reason else None
        if why is not None:
            verdict.untold.setdefault(why, set()).add(destination.name)
        return outcome.until

    def _situation(self, group: DueGroup, destination: Destination, aim: _Aim, previous: Told | None) -> Situation:
        """The group as one destination sees it: what is routed there, and the end of what it was told of."""
        heard = (previous.firing | previous.resolved) if previous else frozenset()
        resolved, elsewhere = set(), 0
        flaps = {number for number, alert in aim.firing.items() if alert.flapping.is_flapping} | aim.resting
        for alert in group.alerts:
            if alert.number not in heard or alert.number in aim.firing:
                continue
            if alert.is_firing:
                # Still firing but muted, or routed elsewhere by now: not over.
                elsewhere += 1
                continue
            resolved.add(alert.number)
            if alert.flapping.is_flapping:
                flaps.add(alert.number)
        severities = [alert.severity for alert in aim.firing.values()]
        return Situation(
            firing=frozenset(aim.firing),
            resolved=frozenset(resolved),
            severity=max(severities, default=group.severity),
            flapping=frozenset(flaps),
            # Muted while it flaps: nothing to tell, but not the end of it either.
            is_flapping=bool(flaps) or (aim.is_muted_flapping and previous is not None and previous.was_flapping),
            is_acknowledged=group.status == "acknowledged",
            muted_count=max(aim.muted_count, elsewhere),
            send_resolved=destination.send_resolved,
            repeat_interval=aim.repeat_interval,
        )


def _alter(verdict: Verdict, alert: DueAlert) -> None:
    if not any(one is alert for one in verdict.altered[-1:]):
        verdict.altered.append(alert)
