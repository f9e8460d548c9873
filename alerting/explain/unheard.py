"""Who got no message about a past alert, and why: the other half of "why did I not get this?"."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting.explain.story import Detail, Step, StepKind, Verdict
from alerting.explain.words import Clock
from alerting.models import TimelineEvent
from alerting.timeline import Kind, Why, why_title
from channels.models import Channel, Delivery

MAX_CHANNELS: Final = 50
NO_ROUTE: Final = "no_route"
CAME_LATER: Final = "came_later"
#: These name routes, not channels.
_OF_ROUTES: Final = frozenset({Why.NO_CHANNEL, Why.ONLY_CALLS})


def unheard(groups: set[UUID], events: Sequence[TimelineEvent], clock: Clock) -> Step | None:
    """The channels that got nothing, each with the reason on record; None where nobody was told or all were.

    Where a channel was asked and not told, the timeline has the reason; where there is neither a message nor a
    reason, no route led there.
    """
    told = set(Delivery.objects.filter(source_id__in=groups).values_list("channel_id", flat=True).distinct())
    reasons = _reasons(events)
    if not told and not reasons:
        return None
    channels = list(Channel.objects.exclude(pk__in=told).order_by("name")[:MAX_CHANNELS])
    if not channels:
        return None
    last = max((event.at for event in events), default=clock.now)
    sentence = ngettext(
        "%(count)d channel got no message about it.", "%(count)d channels got no message about it.", len(channels)
    )
    return Step(
        kind=StepKind.UNHEARD,
        verdict=Verdict.NOTED,
        title=_("Who heard nothing"),
        sentence=sentence % {"count": len(channels)},
        details=tuple(_detail(channel, reasons.get(channel.name), last, clock) for channel in channels),
    )


def _reasons(events: Sequence[TimelineEvent]) -> dict[str, TimelineEvent]:
    """The latest decision not to tell, by the name of the channel."""
    return {
        str(name): event
        for event in events
        if event.kind == Kind.NOT_TOLD and event.reason not in _OF_ROUTES
        for name in (event.data or {}).get("for", [])
    }


def _detail(channel: Channel, event: TimelineEvent | None, last: datetime, clock: Clock) -> Detail:
    code, at = NO_ROUTE, None
    sentence = _("%(name)s: no route led there.") % {"name": channel.name}
    if event is not None:
        code, at = event.reason, event.at
        values = {"name": channel.name, "at": clock.exact(event.at), "why": why_title(event.reason)}
        sentence = _("%(name)s: not told at %(at)s, since %(why)s.") % values
    elif channel.created_at > last:
        code = CAME_LATER
        values = {"name": channel.name, "at": clock.at(channel.created_at)}
        sentence = _("%(name)s: the channel is newer than this; it was made at %(at)s.") % values
    return Detail(
        verdict=Verdict.QUIET if event is not None else Verdict.MISSED,
        code=code,
        subject="channel",
        id=channel.pk,
        name=channel.name,
        at=at,
        sentence=sentence,
    )
