"""Makes one message of several that waited for the same number."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.conf import settings
from django.utils.translation import ngettext

from channels.message import Message

MAX_LINES = 50


def condense(carrier: Message, others: Sequence[Message]) -> Message:
    """Return a message that tells them all: of each group the newest, the worst first."""
    newest: dict[str, Message] = {}
    for message in sorted([carrier, *others], key=lambda one: one.created_at):
        newest[message.group_id or message.title] = message
    found = sorted(newest.values(), key=lambda one: (one.status == "resolved", -one.severity, one.created_at))
    worst = found[0]
    if len(found) == 1:
        return worst
    titles = "; ".join(_title(one) for one in found)
    count = len(found)
    head = ngettext("%(count)d group", "%(count)d groups", count) % {"count": count}
    return msgspec.structs.replace(
        worst,
        kind="digest",
        title=f"{head}: {titles}",
        created_at=max(one.created_at for one in found),
        status="resolved" if all(one.status == "resolved" for one in found) else "firing",
        # No single group is meant, so there is none to acknowledge by an answer.
        group_id="",
        group_url=_all_groups(),
        group_labels={},
        alerts=[line for one in found for line in one.alerts][:MAX_LINES],
        firing_count=sum(one.firing_count for one in found),
        resolved_count=sum(one.resolved_count for one in found),
        total_count=sum(one.total_count for one in found),
        links=[],
    )


def _title(message: Message) -> str:
    return f"({message.title})" if message.status == "resolved" else message.title


def _all_groups() -> str:
    base = getattr(settings, "PUBLIC_BASE_URL", "")
    return f"{base}/g/" if base else ""
