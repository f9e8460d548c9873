"""What an explanation is: steps in the order of the pipeline, each with a verdict, a sentence and its details."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec


class StepKind(StrEnum):
    """Which decision of the pipeline a step tells; the order is the order they are taken in."""

    CONFIGURATION = "configuration"
    DOOR = "door"
    IDENTITY = "identity"
    NEWS = "news"
    ENRICHMENT = "enrichment"
    SCORING = "scoring"
    SILENCES = "silences"
    INHIBITIONS = "inhibitions"
    MAINTENANCE = "maintenance"
    GROUPING = "grouping"
    GROUP = "group"
    ROUTE = "route"
    TIMERS = "timers"
    PEOPLE = "people"
    ESCALATION = "escalation"
    MESSAGES = "messages"
    HISTORY = "history"
    DELIVERIES = "deliveries"
    UNHEARD = "unheard"


class Verdict(StrEnum):
    """How a decision bears on whether people are told; pages give each a colour and an icon."""

    #: It goes its way.
    PASSED = "passed"
    #: Something about the alert was changed.
    CHANGED = "changed"
    #: A fact without consequence.
    NOTED = "noted"
    #: It was asked and does not apply.
    MISSED = "missed"
    #: It keeps people from being told.
    QUIET = "quiet"
    #: Something is wrong and needs a person.
    FAULT = "fault"


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """One fact behind a step. `subject` and `id` name the row it is about; `code` is stable, for machines."""

    verdict: Verdict
    sentence: str
    code: str = ""
    subject: str = ""
    id: UUID | None = None
    name: str = ""
    at: datetime | None = None
    data: dict[str, Any] = {}
    details: tuple["Detail", ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One decision, told."""

    kind: StepKind
    verdict: Verdict
    title: str
    sentence: str
    details: tuple[Detail, ...] = ()


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """One who might be told. `is_told` is the answer; `reason` says why or why not; `at` is when it is decided.

    `held_until` is set where the message is made but its destination cannot take it yet.
    """

    channel_id: UUID
    channel: str
    kind: str
    recipient: str
    is_told: bool
    reason: str
    verdict: Verdict
    sentence: str
    at: datetime | None = None
    held_until: datetime | None = None


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A message as one channel would draw it.

    `types` says of each part what it is, `problems` what is wrong; `drawing` is a page of HTML that shows it as its
    reader sees it, for channels that draw more than their parts.
    """

    channel_id: UUID
    channel: str
    kind: str
    recipient: str
    locale: str
    parts: dict[str, str]
    types: dict[str, str]
    problems: tuple[str, ...] = ()
    drawing: str = ""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is explained: an alert that is imagined or known, or a group."""

    kind: str
    title: str
    id: UUID | None = None
    labels: dict[str, str] = {}


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole story. `summary` is the answer in one or two sentences."""

    subject: Subject
    at: datetime
    time_zone: str
    #: True for what would happen, False for what did.
    is_prediction: bool
    verdict: Verdict
    summary: str
    steps: tuple[Step, ...]
    destinations: tuple[Destination, ...] = ()
    messages: tuple[Rendered, ...] = ()
