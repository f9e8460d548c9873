"""Works out what due escalations tell now, whom, and what is told later; then puts it into the queue."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import msgspec
from prometheus_client import Counter

from alerting.due_groups import DueGroup
from alerting.escalation.messages import escalation_message, why_told
from alerting.escalation.notices import Notice
from alerting.escalation.plan import LATE, due_steps
from alerting.escalation.reaching import Book, Call
from alerting.escalation.rows import Running
from alerting.exclusive import Moment
from alerting.models import EscalationState, NoticeState
from alerting.muting import MaintenanceWindows
from alerting.timeline import Event, Kind, Why
from channels.delivery.queue import NewDelivery, enqueue
from channels.message import Reason
from tenants.isolation import new_id

KIND: Final = "escalation"
PRIORITIES: Final = {"urgent": 5, "normal": 25}
#: A call that cannot be delivered for so long is given up, and the next level is called.
HORIZON: Final = timedelta(minutes=30)

_calls = Counter("alerting_escalation_calls", "Messages of escalations put into the queue")


class Caller(msgspec.Struct):
    """Collects everything that many escalations bring about, to be written at once."""

    book: Book
    moment: Moment
    groups: Mapping[UUID, DueGroup]
    windows: MaintenanceWindows
    notices: list[Notice] = []
    events: list[Event] = []
    _sending: list[tuple[Notice, NewDelivery]] = []

    def take(self, one: Running, waiting: Sequence[Notice]) -> datetime | None:
        """Fire what is due of one escalation; return when to look at it again."""
        later = self._remind(one, waiting)
        later += self._climb(one)
        times = [notice.due_at for notice in later]
        if one.due_at is not None and one.step < one.plan.count:
            times.append(one.due_at)
        elif not later and one.state == EscalationState.RUNNING:
            one.state = EscalationState.EXHAUSTED.value
            self._say(one, Kind.ESCALATION_ENDED, Why.ALL_CALLED, {})
        return min(times, default=None)

    def write(self) -> None:
        """Put what is told now into the queue, and note which delivery each notice became."""
        ids = enqueue([delivery for _notice, delivery in self._sending])
        _calls.inc(len(ids))
        for (notice, _delivery), delivery_id in zip(self._sending, ids, strict=True):
            notice.delivery_id = delivery_id

    def _climb(self, one: Running) -> list[Notice]:
        """Fire the due steps; a step that reaches nobody makes the next one due at once."""
        later: list[Notice] = []
        now = self.moment.now
        while one.due_at is not None and one.step < one.plan.count and one.due_at <= now:
            firing = due_steps(one.plan, one.step, one.due_at, now)
            one.step, one.due_at = firing.step, firing.due_at
            for step in firing.superseded:
                self._say(one, Kind.ESCALATION_SKIPPED, Why.SUPERSEDED, {"level": self._number(one, step)})
            reached = [self._fire(one, step, firing.late_by, later) for step in firing.fires]
            if not any(reached) and one.step < one.plan.count:
                one.due_at = now
        return later

    def _fire(self, one: Running, step: int, late_by: timedelta, later: list[Notice]) -> bool:
        """Tell one level; say whether anybody is or will be told."""
        level = one.plan.level(step)
        calls, misses = self.book.calls(level)
        for miss in misses:
            missed = {"level": self._number(one, step), "target": miss.target.kind, "name": miss.name}
            self._say(one, Kind.ESCALATION_SKIPPED, miss.why, missed | {"target_id": str(miss.target.id)})
        told: list[dict[str, Any]] = []
        for call in calls:
            notice = self._notice(one, step, call)
            told.append({"who": call.who, "recipient": call.recipient, "after": int(call.after.total_seconds())})
            if call.after:
                self.notices.append(notice)
                later.append(notice)
            else:
                self._send(one, notice, call, late_by)
        data: dict[str, Any] = {
            "level": self._number(one, step),
            "round": step // len(one.plan.levels) + 1,
            "told": told,
        }
        if late_by:
            data["late_by"] = int(late_by.total_seconds())
        if calls:
            self._say(one, Kind.ESCALATED, Why.CALLED_LATE if late_by else "", data)
        else:
            self._say(one, Kind.ESCALATION_SKIPPED, Why.NOBODY_REACHED, {"level": self._number(one, step)})
        return bool(calls)

    def _remind(self, one: Running, waiting: Sequence[Notice]) -> list[Notice]:
        """Send what waited for its time by people's own rules; after downtime only the last for each person."""
        now = self.moment.now
        due = [notice for notice in waiting if notice.due_at <= now]
        last = {notice.person_id: notice for notice in due}
        for notice in due:
            late_by = now - notice.due_at
            self.notices.append(notice)
            if late_by > LATE and last[notice.person_id] is not notice:
                notice.state = NoticeState.SUPERSEDED.value
                continue
            person = self.book.people.get(notice.person_id) if notice.person_id else None
            call = Call(who=notice.who, channel_id=notice.channel_id, recipient=notice.recipient, person=person)
            self._send(one, notice, call, late_by if late_by > LATE else timedelta(0), known=True)
        return [notice for notice in waiting if notice.due_at > now]

    def _notice(self, one: Running, step: int, call: Call) -> Notice:
        return Notice(
            id=new_id(),
            escalation_id=one.id,
            run=one.run,
            step=step,
            person_id=call.person.id if call.person else None,
            who=call.who[:200],
            channel_id=call.channel_id,
            recipient=call.recipient,
            due_at=self.moment.now + call.after,
        )

    def _send(self, one: Running, notice: Notice, call: Call, late_by: timedelta, *, known: bool = False) -> None:
        destination = self.book.channels.get(call.channel_id)
        if destination is None:
            notice.state = NoticeState.CANCELLED.value
            return
        group, level = self.groups[one.group_id], one.plan.level(notice.step)
        why = why_told(
            policy=one.plan.name,
            level=self._number(one, notice.step),
            schedule=call.schedule,
            late_by=late_by,
        )
        notice.state = NoticeState.SENT.value
        delivery = NewDelivery(
            channel_id=call.channel_id,
            recipient=call.recipient,
            dedup_key=blake2b(notice.id.bytes, digest_size=32, person=b"escalation").digest(),
            message=escalation_message(group, destination, self.moment, self.windows, person=call.person, why=why),
            source_id=group.id,
            kind=KIND,
            reason=Reason.ESCALATION,
            priority=PRIORITIES[level.importance],
            expires_in=HORIZON,
        )
        if not known:
            self.notices.append(notice)
        self._sending.append((notice, delivery))

    def _number(self, one: Running, step: int) -> int:
        return step % len(one.plan.levels) + 1

    def _say(self, one: Running, kind: Kind, reason: str, data: dict[str, Any]) -> None:
        self.events.append(
            Event(kind=kind, group_id=one.group_id, reason=reason, data={"policy": one.plan.name, **data})
        )
