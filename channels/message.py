"""The snapshot of what is said: all that a delivery stores and a template may see."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from channels.languages import Voice


class Reason(StrEnum):
    """Why this message goes out; decided when it is made, and shown to the reader."""

    FIRST = "first"
    NEW_ALERTS = "new_alerts"
    RESOLVED = "resolved"
    ALL_RESOLVED = "all_resolved"
    REPEAT = "repeat"
    SEVERITY_RAISED = "severity_raised"
    FLAPPING = "flapping"
    STOPPED_FLAPPING = "stopped_flapping"
    ESCALATION = "escalation"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    TEST = "test"
    COMMENT = "comment"
    ASSIGNED = "assigned"
    SILENCED = "silenced"
    CAUSES = "causes"
    JUDGED = "judged"


#: These bring a message up to date where that can be done in place; nobody is told anew.
QUIET = frozenset({Reason.CAUSES, Reason.JUDGED})


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A named address, such as a runbook or the tool that raised the alert.

    `role` names a link we made ourselves (runbook), which is then called so in the reader's language.
    """

    text: str
    url: str
    role: str = ""


class AlertLine(msgspec.Struct, frozen=True, kw_only=True):
    """One alert of the group as it was when the message was made."""

    fingerprint: str
    status: str
    severity: int = 0
    severity_name: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    generator_url: str = ""
    repeat_count: int = 1


class PlannedWork(msgspec.Struct, frozen=True, kw_only=True):
    """A time of maintenance that concerns the alerts: open now, or within the next days."""

    id: str
    name: str
    starts_at: datetime
    ends_at: datetime


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase of the catalogues and what stands in it, said in the reader's language when the message is sent.

    `times` are ISO times and `spans` seconds, written as the reader writes them.
    """

    key: str
    values: dict[str, str] = {}
    times: dict[str, datetime] = {}
    spans: dict[str, float] = {}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell one destination.

    `alerts` carries only the first ones; the counts are of the whole group. `delivery_id` is
    empty until a delivery is about to be sent. `actor` and `note` are who did something to the
    group, and their words; `until` is when what they did ends by itself.
    `heading` and `why` say title and reason in the reader's language where they are more than a word; `title` and
    `sent_reason` hold the same for who reads no phrases.
    What is of the one recipient is never stored: `ack_url` acknowledges in their name, `judge_url` is where they say
    what a finding was worth, `consent_url` where they let us see when they open mails, `may_track` says that they did.
    """

    title: str
    created_at: datetime
    kind: str = "notification"
    reason: Reason = Reason.FIRST
    sent_reason: str = ""
    heading: Saying | None = None
    why: list[Saying] = []
    status: str = "firing"
    severity: int = 0
    severity_name: str = ""
    tenant_slug: str = ""
    tenant_name: str = ""
    delivery_id: str = ""
    group_id: str = ""
    group_url: str = ""
    group_labels: dict[str, str] = {}
    alerts: list[AlertLine] = []
    firing_count: int = 0
    resolved_count: int = 0
    total_count: int = 0
    links: list[Link] = []
    planned: list[PlannedWork] = []
    actor: str = ""
    note: str = ""
    until: datetime | None = None
    ack_url: str = ""
    judge_url: str = ""
    consent_url: str = ""
    may_track: bool = False
    locale: str = "en"
    time_zone: str = "UTC"

    def for_delivery(self, delivery_id: str) -> Message:
        """Return the same message bound to the delivery that carries it."""
        return msgspec.structs.replace(self, delivery_id=delivery_id)

    def to_json(self) -> bytes:
        """Encode for storage; `from_json` gives an equal message back."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> Message:
        """Decode what `to_json` wrote; raises `msgspec.ValidationError` when it is not that."""
        return msgspec.json.decode(data, type=cls)

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values, for an API or a webhook."""
        plain: dict[str, object] = msgspec.to_builtins(self)
        return plain


def is_found(message: Message) -> bool:
    """Whether an alert of the message stems from a finding of the service itself."""
    return any("finding_id" in alert.annotations for alert in message.alerts)


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a message as text, and why they are not what the tenant's template says.

    `voice` is the one they were said in, for what an adapter adds of its own, such as the words on a button.
    """

    parts: dict[str, str]
    degraded_reason: str = ""
    voice: Voice | None = None
