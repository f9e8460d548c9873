"""Levels of a policy as lines people write: `5m; schedule: Primary; member: ann via sms; normal`."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from alerting.escalation.plan import Level, PlanError, Target, read_levels
from alerting.models import OnCallSchedule
from channels.models import Channel
from tenants.admin.display import UNITS, duration_text
from tenants.models import Membership

Names = Mapping[str, Mapping[UUID, str]]
IMPORTANCES: Final = ("normal", "urgent")
_SECONDS: Final = dict(UNITS)
_DURATION: Final = re.compile(r"(\d{1,6})\s*([dhms])")
_TARGET: Final = re.compile(r"(schedule|member|channel)\s*:\s*(.+?)(?:\s+via\s+(\w+))?", re.IGNORECASE)


def known_names() -> Names:
    """What a line may name, by kind: people by their user names."""
    members = Membership._default_manager.filter(user__is_active=True).values_list("user_id", "user__username")
    return {
        "schedule": dict(OnCallSchedule._default_manager.values_list("pk", "name")),
        "member": dict(members),
        "channel": dict(Channel._default_manager.values_list("pk", "name")),
    }


def to_text(stored: Any, names: Names) -> str:
    """Levels as lines; what is gone is shown by its id, so that it is seen and mended."""
    try:
        levels = read_levels(stored)
    except PlanError:
        return ""
    return "\n".join(_line(level, names) for level in levels)


def _line(level: Level, names: Names) -> str:
    parts = [duration_text(timedelta(seconds=level.wait))]
    for target in level.targets:
        via = f" via {target.via}" if target.via else ""
        parts.append(f"{target.kind}: {names[target.kind].get(target.id, target.id)}{via}")
    if level.importance != "urgent":
        parts.append(level.importance)
    return "; ".join(parts)


def from_text(text: str, names: Names) -> list[Level]:
    """Levels out of lines; raises PlanError that says which line is wrong and why."""
    found = []
    for number, line in enumerate((line.strip() for line in text.splitlines() if line.strip()), 1):
        try:
            found.append(_level(line, names))
        except PlanError as error:
            raise PlanError(_("Line %(number)d: %(fault)s") % {"number": number, "fault": error}) from error
    return found


def _level(line: str, names: Names) -> Level:
    wait, *parts = (part.strip() for part in line.split(";"))
    importance: Any = "urgent"
    targets: list[Target] = []
    for part in parts:
        if part.lower() in IMPORTANCES:
            importance = part.lower()
        elif part:
            targets.append(_target(part, names))
    return Level(_seconds(wait), targets, importance)


def _seconds(text: str) -> int:
    if not text or _DURATION.sub("", text.lower()).strip(" "):
        raise PlanError(_("Begin with how long to wait, such as 0m or 5m."))
    return sum(int(count) * _SECONDS[unit] for count, unit in _DURATION.findall(text.lower()))


def _target(part: str, names: Names) -> Target:
    said = _TARGET.fullmatch(part)
    if said is None:
        raise PlanError(_("“%(part)s” is not understood; write schedule: …, member: … or channel: ….") % {"part": part})
    kind: Any = said[1].lower()
    wanted = said[2].strip()
    for target_id, name in names[kind].items():
        if name.lower() == wanted.lower():
            return Target(kind, target_id, (said[3] or "").lower())
    known = ", ".join(sorted(names[kind].values())[:20]) or "–"
    message = _("There is no %(kind)s “%(name)s” here; known are: %(known)s.")
    raise PlanError(message % {"kind": kind, "name": wanted, "known": known})
