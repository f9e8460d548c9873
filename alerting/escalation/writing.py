"""Says the levels of a policy in words: `after 5m: Primary (on call), ann by SMS`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from alerting.escalation.plan import Level, PlanError, Target, read_levels
from alerting.models import OnCallSchedule
from channels.models import Channel
from tenants.admin.display import duration_text
from tenants.models import Membership

Names = Mapping[str, Mapping[UUID, str]]


def known_names() -> Names:
    """Whom a level may name, by kind, in the order of their names: people by their user names."""
    members = Membership._default_manager.filter(user__is_active=True).order_by("user__username")
    return {
        "schedule": dict(OnCallSchedule._default_manager.order_by("name").values_list("pk", "name")),
        "member": dict(members.values_list("user_id", "user__username")),
        "channel": dict(Channel._default_manager.order_by("name").values_list("pk", "name")),
    }


def in_words(stored: Any, names: Names, ways: Mapping[str, Any]) -> list[str]:
    """One sentence for each level; levels that cannot be read have none."""
    try:
        return [_sentence(level, names, ways) for level in read_levels(stored)]
    except PlanError:
        return []


def _sentence(level: Level, names: Names, ways: Mapping[str, Any]) -> str:
    whom = ", ".join(_whom(target, names, ways) for target in level.targets)
    values = {"wait": duration_text(timedelta(seconds=level.wait)), "whom": whom}
    if level.importance == "urgent":
        return _("after %(wait)s: %(whom)s") % values
    return _("after %(wait)s: %(whom)s, as a normal call") % values


def _whom(target: Target, names: Names, ways: Mapping[str, Any]) -> str:
    name = names[target.kind].get(target.id)
    if name is None:
        return _("somebody or something that is gone")
    if target.kind == "schedule":
        name = _("who is on call by “%(schedule)s”") % {"schedule": name}
    if not target.via:
        return name
    return _("%(name)s by %(way)s") % {"name": name, "way": ways.get(target.via, target.via)}
