"""Judges a policy before it is saved: its levels can be used, and whom they name is there."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alerting.escalation.plan import Level, PlanError, Target, check_levels
from alerting.models import EscalationPolicy, OnCallSchedule
from alerting.oncall.checking import PERSONAL_KINDS
from channels.models import Channel
from tenants.models import Membership

TIMES: Final = {
    "repeat_wait": (timedelta(minutes=1), timedelta(days=1)),
    "acknowledge_timeout": (timedelta(minutes=1), timedelta(days=7)),
}


def check_policy(policy: EscalationPolicy) -> None:
    """Raise ValidationError by field; the levels are written in one way only."""
    try:
        levels = check_levels(policy.levels)
    except PlanError as error:
        raise ValidationError({"levels": str(error)}) from error
    policy.levels = msgspec.to_builtins(levels)
    _check_targets(levels)
    for field, (lowest, highest) in TIMES.items():
        value: timedelta | None = getattr(policy, field)
        if value is not None and not lowest <= value <= highest:
            values = {"lowest": lowest.total_seconds(), "highest": highest.total_seconds()}
            raise ValidationError({field: _("Choose from %(lowest)d to %(highest)d seconds.") % values})


def _check_targets(levels: list[Level]) -> None:
    there = known_targets()
    for number, level in enumerate(levels, 1):
        for target in level.targets:
            fault = _fault(target, there)
            if fault:
                said = _("Level %(number)d: %(fault)s") % {"number": number, "fault": fault}
                raise ValidationError({"levels": said})


def _fault(target: Target, there: dict[str, set[UUID]]) -> str:
    missing = {
        "schedule": _("there is no such schedule here."),
        "member": _("there is no such member here."),
        "channel": _("there is no such channel here."),
    }
    if target.id not in there[target.kind]:
        return missing[target.kind]
    if target.via and target.kind == "channel":
        return _("“via” is for people and schedules; a channel is told as it is set up.")
    if target.via and target.via not in PERSONAL_KINDS:
        return _("“via” is one of %(kinds)s.") % {"kinds": ", ".join(PERSONAL_KINDS)}
    return ""


def known_targets() -> dict[str, set[UUID]]:
    """The ids a level may name, by kind of target."""
    return {
        "schedule": set(OnCallSchedule._default_manager.values_list("pk", flat=True)),
        "member": set(Membership._default_manager.values_list("user_id", flat=True)),
        "channel": set(Channel._default_manager.values_list("pk", flat=True)),
    }


def policies_with(target_id: UUID) -> list[str]:
    """The names of the policies that name somebody or something."""
    wanted = str(target_id)
    return [
        policy.name
        for policy in EscalationPolicy._default_manager.all()
        if any(target["id"] == wanted for level in policy.levels for target in level["targets"])
    ]
