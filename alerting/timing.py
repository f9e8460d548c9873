"""When a group is looked at next: group_wait, group_interval and repeat_interval turned into one due time.

Alertmanager ticks every group_interval while a group lives. Here a group has at most one timer, set
only when there is something to wait for; a change is told no later than at Alertmanager's tick, and
a repeat exactly after repeat_interval instead of at the tick after it.
"""

from datetime import datetime

from alerting.routing import Timers


def first_flush(created_at: datetime, oldest_start: datetime, timers: Timers) -> datetime:
    """A new group waits group_wait for companions, unless its alert has been firing that long already."""
    if oldest_start + timers.group_wait < created_at:
        return created_at
    return created_at + timers.group_wait


def after_change(
    changed_at: datetime, flushed_at: datetime, timers: Timers, due_at: datetime | None = None
) -> datetime:
    """When a change of a group that was looked at before is told; a timer that is due sooner stays.

    Within group_interval of the last look the change waits for its end. Later it waits group_wait for
    companions, but never longer than to the next multiple of group_interval.
    """
    due = flushed_at + timers.group_interval
    if changed_at > due:
        interval = timers.group_interval
        tick = changed_at if not interval else due + -((due - changed_at) // interval) * interval
        due = min(changed_at + timers.group_wait, tick)
    return due if due_at is None else min(due, due_at)
