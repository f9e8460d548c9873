"""Swaps: two people exchange shifts, which is two overrides that each replace one of them."""

from datetime import datetime

from alerting.models import OnCallSchedule, ScheduleOverride
from alerting.oncall.checking import check_override
from tenants import audit
from tenants.api.inputs import clean_instance
from tenants.models import User
from tenants.principal import Principal


def swap(
    principal: Principal,
    schedule: OnCallSchedule,
    *,
    first: User,
    first_from: datetime,
    first_until: datetime,
    second: User,
    second_from: datetime,
    second_until: datetime,
) -> list[ScheduleOverride]:
    """Let `second` take what `first` has in the first span, and `first` what `second` has in the second."""
    spans = ((second, first, first_from, first_until), (first, second, second_from, second_until))
    made = []
    for person, replaced, starts_at, ends_at in spans:
        override = ScheduleOverride(
            tenant_id=schedule.tenant_id,
            schedule=schedule,
            person=person,
            replaces=replaced,
            starts_at=starts_at,
            ends_at=ends_at,
        )
        clean_instance(override, check_override)
        audit.save_audited(principal, override)
        made.append(override)
    return made
