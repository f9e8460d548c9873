"""The calendar that a tenant's series live by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils import timezone

from metrics.models import MetricsPolicy
from metrics.seasons import Calendar
from tenants.context import current_tenant_id
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Place:
    """A time zone with its holidays, and the country they are of."""

    calendar: Calendar
    country: str


def calendar_of() -> Place:
    """The running tenant's: its time zone, and the holidays it has chosen."""
    zone = Tenant.objects.values_list("time_zone", flat=True).get(pk=current_tenant_id())
    country = MetricsPolicy._default_manager.values_list("holidays", flat=True).first() or ""
    return _place(zone, country, timezone.now().year)


def calendar_with(calendar: Calendar, country: str) -> Calendar:
    """The same local time with the holidays of another country."""
    return _place(getattr(calendar.zone, "key", "UTC"), country, timezone.now().year).calendar


@lru_cache(maxsize=256)
def _place(zone: str, country: str, year: int) -> Place:
    # Half a second to load, and only tenants who chose a country need it.
    import holidays as public_holidays

    days = frozenset(public_holidays.country_holidays(country, years=range(year - 1, year + 2))) if country else None
    return Place(Calendar(ZoneInfo(zone), days or frozenset()), country)
