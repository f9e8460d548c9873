"""The timeline: what was decided about alerts and groups, with its reason, in words people can read."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from alerting.rows import as_json, execute, new_ids
from tenants.context import current_tenant_id


class Kind(StrEnum):
    """What happened."""

    FIRED = "fired"
    FIRED_AGAIN = "fired_again"
    RESOLVED = "resolved"
    SEVERITY_CHANGED = "severity_changed"
    FLAPPING_STARTED = "flapping_started"
    FLAPPING_STOPPED = "flapping_stopped"
    MUTED = "muted"
    UNMUTED = "unmuted"
    OPENED = "opened"
    CLOSED = "closed"
    TOLD = "told"
    NOT_DELIVERED = "not_delivered"
    NOT_TOLD = "not_told"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    COMMENT = "comment"
    ASSIGNED = "assigned"
    SILENCED = "silenced"
    JUDGED = "judged"
    ESCALATION_STARTED = "escalation_started"
    ESCALATED = "escalated"
    ESCALATION_SKIPPED = "escalation_skipped"
    ESCALATION_HELD = "escalation_held"
    ESCALATION_RESUMED = "escalation_resumed"
    ESCALATION_ENDED = "escalation_ended"


class Why(StrEnum):
    """The reason, where the kind alone does not say it. Reasons of messages are those of channels.message.Reason."""

    NEVER_FIRED = "never_fired"
    BY_SENDER = "sender"
    BY_PERSON = "person"
    STALE = "stale"
    ENDED = "ended"
    NO_CHANNEL = "no_channel"
    ONLY_CALLS = "only_calls"
    CHANNEL_OFF = "channel_off"
    NO_RECIPIENT = "no_recipient"
    ALL_MUTED = "all_muted"
    IS_ACKNOWLEDGED = "acknowledged"
    IS_FLAPPING = "flapping"
    ENDED_BEFORE_TOLD = "ended_before_told"
    RESOLVE_NOT_WANTED = "resolve_not_wanted"
    BROKEN_ROUTES = "broken_routes"
    NOBODY_ON_CALL = "nobody_on_call"
    NO_CONTACT = "no_contact"
    NOBODY_REACHED = "nobody_reached"
    TARGET_GONE = "target_gone"
    CALLED_LATE = "called_late"
    SUPERSEDED = "superseded"
    ALL_CALLED = "all_called"
    TIMED_OUT = "timed_out"
    REROUTED = "rerouted"
    GROUP_OVER = "group_over"
    BROKEN_POLICY = "broken_policy"


KIND_TITLES: Final[dict[str, Promise]] = {
    Kind.FIRED: _("Alert fired"),
    Kind.FIRED_AGAIN: _("Alert fired again"),
    Kind.RESOLVED: _("Alert resolved"),
    Kind.SEVERITY_CHANGED: _("Severity changed"),
    Kind.FLAPPING_STARTED: _("Alert began to flap"),
    Kind.FLAPPING_STOPPED: _("Alert stopped flapping"),
    Kind.MUTED: _("Alert muted"),
    Kind.UNMUTED: _("Alert no longer muted"),
    Kind.OPENED: _("Group opened"),
    Kind.CLOSED: _("Group resolved"),
    Kind.TOLD: _("Told"),
    Kind.NOT_DELIVERED: _("Message not delivered"),
    Kind.NOT_TOLD: _("Nobody told"),
    Kind.ACKNOWLEDGED: _("Acknowledged"),
    Kind.UNACKNOWLEDGED: _("Acknowledgement taken back"),
    Kind.COMMENT: _("Comment"),
    Kind.ASSIGNED: _("Assigned"),
    Kind.SILENCED: _("Silenced"),
    Kind.ESCALATION_STARTED: _("Escalation started"),
    Kind.ESCALATED: _("Escalated"),
    Kind.ESCALATION_SKIPPED: _("Step of the escalation passed over"),
    Kind.ESCALATION_HELD: _("Escalation held"),
    Kind.ESCALATION_RESUMED: _("Escalation goes on"),
    Kind.ESCALATION_ENDED: _("Escalation ended"),
    Kind.JUDGED: _("Judged"),
}

WHY_TITLES: Final[dict[str, Promise]] = {
    Why.NEVER_FIRED: _("it had never fired here"),
    Why.BY_SENDER: _("its sender resolved it"),
    Why.BY_PERSON: _("a person resolved it"),
    Why.STALE: _("its sender fell silent"),
    Why.ENDED: _("the end its sender gave has passed"),
    Why.NO_CHANNEL: _("the route has no channel"),
    Why.ONLY_CALLS: _("the route has no channel; its escalation policy calls people"),
    Why.CHANNEL_OFF: _("the channel is switched off"),
    Why.NO_RECIPIENT: _("the channel has nobody to tell"),
    Why.ALL_MUTED: _("every alert is muted"),
    Why.IS_ACKNOWLEDGED: _("somebody has acknowledged it"),
    Why.IS_FLAPPING: _("it is flapping"),
    Why.ENDED_BEFORE_TOLD: _("it was over before anybody was told"),
    Why.RESOLVE_NOT_WANTED: _("the channel does not want to hear of resolved alerts"),
    Why.BROKEN_ROUTES: _("the routes cannot be used"),
    Why.NOBODY_ON_CALL: _("nobody is on call"),
    Why.NO_CONTACT: _("without a verified contact"),
    Why.NOBODY_REACHED: _("nobody could be reached"),
    Why.TARGET_GONE: _("whom it names is gone"),
    Why.CALLED_LATE: _("later than planned"),
    Why.SUPERSEDED: _("a later step was due as well"),
    Why.ALL_CALLED: _("everybody was called"),
    Why.TIMED_OUT: _("the acknowledgement has run out"),
    Why.REROUTED: _("its alerts go another route now"),
    Why.GROUP_OVER: _("the group is over"),
    Why.BROKEN_POLICY: _("the policy cannot be used"),
    "first": _("first message"),
    "new_alerts": _("new alerts"),
    "resolved": _("alerts resolved"),
    "all_resolved": _("all alerts resolved"),
    "repeat": _("still firing"),
    "severity_raised": _("severity raised"),
    "stopped_flapping": _("it has stopped flapping"),
    "unacknowledged": _("the acknowledgement was taken back"),
    "comment": _("somebody has commented"),
    "assigned": _("it was assigned"),
    "silenced": _("it was silenced"),
    "causes": _("what moved with it is known"),
    "judged": _("somebody said what it was worth"),
    "useful": _("useful"),
    "noise": _("noise"),
    "silence": _("a silence"),
    "inhibition": _("an inhibition rule"),
    "maintenance": _("a maintenance window"),
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line to be written; at least one of group and alert is given."""

    kind: Kind
    group_id: UUID | str | None = None
    alert_id: UUID | str | None = None
    reason: str = ""
    actor: str = ""
    data: dict[str, Any] | None = None


def kind_title(kind: str) -> Promise | str:
    """The kind as a person reads it; a kind of an older version as it is."""
    return KIND_TITLES.get(kind, kind)


def why_title(reason: str) -> Promise | str:
    """The reason as a person reads it."""
    return WHY_TITLES.get(reason, reason)


_INSERT: Final = """
INSERT INTO timeline_event (id, tenant_id, at, group_id, alert_id, kind, reason, actor, data)
SELECT i, %s, statement_timestamp(), g, a, k, coalesce(r, ''), coalesce(w, ''), d
FROM json_to_recordset(%s::json) AS e (i uuid, g uuid, a uuid, k text, r text, w text, d jsonb)
"""


class _Row(msgspec.Struct, omit_defaults=True, gc=False):
    """An event as it is sent: short names, nothing that is empty."""

    i: str
    k: str
    g: UUID | str | None = None
    a: UUID | str | None = None
    r: str = ""
    w: str = ""
    d: dict[str, Any] | None = None


def record(events: Sequence[Event]) -> None:
    """Append events in their order, in one statement, in the running transaction."""
    if not events:
        return
    rows = [
        _Row(new_id, event.kind, event.group_id, event.alert_id, event.reason[:64], event.actor[:200], event.data)
        for new_id, event in zip(new_ids(len(events)), events, strict=True)
    ]
    execute(_INSERT, [current_tenant_id(), as_json(rows)])
