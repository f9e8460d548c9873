"""Tells the channels that keep a state of their own, such as PagerDuty's incidents, what a person did to a group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from django.utils import translation

from alerting import timeline
from alerting.configuration import Destination, compiled
from alerting.deciding import Telling
from alerting.due_groups import DueGroup, read_groups, read_groups_whole
from alerting.exclusive import Moment
from alerting.messages import message_for
from alerting.needs import NO_ALERTS, Told
from alerting.needs import Reason as Need
from alerting.timeline import Event, Kind
from channels import registry
from channels.delivery import NewDelivery, enqueue
from channels.message import QUIET, Message, Reason
from channels.models import Channel
from tenants.principal import Principal

PRIORITY: Final = 20
STATUSES: Final = {Reason.ACKNOWLEDGED: "acknowledged", Reason.UNACKNOWLEDGED: "firing"}
MAX_NOTE: Final = 2_000


class News(NamedTuple):
    """Why it is told, who did it, what they wrote, and until when it holds where it ends by itself."""

    reason: Reason
    actor: str
    note: str
    until: datetime | None = None


def tell(
    principal: Principal,
    group_id: UUID,
    reason: Reason,
    moment: Moment,
    note: str = "",
    until: datetime | None = None,
) -> None:
    """Queue the news for every such channel that was told of the group, but not for the one it came from."""
    _tell([group_id], News(reason, principal.label[:200], note[:MAX_NOTE], until), principal, moment)


def tell_all(principal: Principal, group_ids: Sequence[UUID], reason: Reason, moment: Moment) -> None:
    """Queue the same news about several groups, in as many statements as about one.

    What changes no status, such as a comment, is for channels with threads only.
    Runs in the transaction of the act, in the tenant's turn.
    """
    _tell(group_ids, News(reason, principal.label[:200], ""), principal, moment)


def _tell(group_ids: Sequence[UUID], news: News, principal: Principal, moment: Moment) -> None:
    reason = news.reason
    kinds = [kind for kind in registry.kinds() if _wants(kind, reason)]
    told = _channels(kinds) if kinds and group_ids else {}
    if not told:
        return
    groups = read_groups(group_ids) if reason not in QUIET else read_groups_whole(group_ids)
    items = [
        _item(channel, recipient, group, news, moment)
        for group in groups
        for (channel_id, recipient), previous in group.told.items()
        if (channel := told.get(channel_id)) is not None
        and (previous.firing or reason in QUIET)
        and not _came_from(principal, channel)
    ]
    ids = enqueue(items)
    if len(ids) != len(items) or reason in QUIET:
        # What only brings a message up to date is no line of the story.
        return
    timeline.record(
        [
            Event(kind=Kind.TOLD, group_id=item.source_id, reason=reason, data=_data(told[item.channel_id], item, one))
            for item, one in zip(items, ids, strict=True)
        ]
    )


def _wants(kind: str, reason: Reason) -> bool:
    adapter = registry.adapter(kind)
    return adapter.wants_status if reason in STATUSES else adapter.threads


def _channels(kinds: list[str]) -> dict[UUID, Channel]:
    rows = Channel._default_manager.filter(kind__in=kinds, is_active=True)
    return {channel.pk: channel for channel in rows}


def _came_from(principal: Principal, channel: Channel) -> bool:
    return principal.id == f"{channel.kind}:{channel.pk}"


def _item(channel: Channel, recipient: str, group: DueGroup, news: News, moment: Moment) -> NewDelivery:
    reason = news.reason
    message = _message(channel, recipient, group, news, moment)
    # The moment is part of the key: a group may be acknowledged, let go and acknowledged again.
    parts = (str(group.id), str(channel.pk), recipient, reason, moment.now.isoformat())
    return NewDelivery(
        channel_id=channel.pk,
        recipient=recipient,
        dedup_key=blake2b(msgspec.msgpack.encode(parts), digest_size=32).digest(),
        message=message,
        source_id=group.id,
        kind=message.kind,
        reason=reason,
        priority=PRIORITY,
    )


def _message(channel: Channel, recipient: str, group: DueGroup, news: News, moment: Moment) -> Message:
    reason = news.reason
    told: Told = group.told[channel.pk, recipient]
    destination = Destination(
        id=channel.pk,
        name=channel.name,
        kind=channel.kind,
        recipients=(recipient,),
        send_resolved=channel.send_resolved,
        is_active=channel.is_active,
        locale=channel.locale,
        idempotent=registry.adapter(channel.kind).idempotent,
    )
    telling = Telling(
        destination=destination,
        recipient=recipient,
        reason=Need.REPEAT,
        firing=frozenset(told.firing),
        # A group that is over shows what it was about.
        resolved=NO_ALERTS if told.firing else frozenset(alert.number for alert in group.alerts),
        severity=told.severity,
        is_flapping=told.was_flapping,
        previous=told,
    )
    message = message_for(telling, group, moment, compiled(moment).windows)
    with translation.override(message.locale):
        said = str(timeline.why_title(reason))
    return msgspec.structs.replace(
        message,
        kind="status",
        reason=reason,
        sent_reason=said,
        status=STATUSES.get(reason, group.status),
        actor=news.actor,
        note=news.note,
        until=news.until,
    )


def _data(channel: Channel, item: NewDelivery, delivery_id: UUID) -> dict[str, Any]:
    return {
        "channel": channel.name,
        "channel_id": str(channel.pk),
        "recipient": item.recipient,
        "delivery_id": str(delivery_id),
    }
