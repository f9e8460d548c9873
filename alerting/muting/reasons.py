"""Why an alert is muted, and what nearly muted it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from alerting.matchers import Matcher


class MuteKind(StrEnum):
    """Which of the three ways."""

    SILENCE = "silence"
    INHIBITION = "inhibition"
    MAINTENANCE = "maintenance"


class Muted(msgspec.Struct, frozen=True):
    """One thing that mutes an alert now. `until` is None where another alert decides when it ends."""

    kind: MuteKind
    id: UUID
    name: str
    until: datetime | None = None
    #: Fingerprint of the alert that inhibits.
    source: bytes | None = None

    @property
    def code(self) -> str:
        """Short stable form for timelines and metrics: `silence:<id>`."""
        return f"{self.kind.value}:{self.id}"

    def sentence(self) -> str:
        """The reason as a person reads it."""
        values = {"name": self.name, "until": self.until}
        if self.kind is MuteKind.SILENCE:
            return _("Muted by the silence “%(name)s” until %(until)s.") % values
        if self.kind is MuteKind.MAINTENANCE:
            return _("Muted by the maintenance window “%(name)s” until %(until)s.") % values
        values["source"] = (self.source or b"").hex()
        return _("Muted by the inhibition “%(name)s” while alert %(source)s fires.") % values


class NearMiss(msgspec.Struct, frozen=True):
    """Something that could have muted the alert and did not: a matcher failed, or it is not its time.

    For an inhibition `failed` of None means that the target fits but no source with equal labels fires.
    """

    kind: MuteKind
    id: UUID
    name: str
    failed: Matcher | None = None
    state: str = ""
