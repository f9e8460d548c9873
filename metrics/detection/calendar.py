"""Where in its day and its week a moment lies, in a zone and a country."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = 86_400.0
SUNDAY = 6
EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday


@lru_cache(maxsize=256)
def feasts(country: str, year: int) -> frozenset[date]:
    """Return the public holidays of a country in a year; none when the country is not known."""
    import holidays  # half a second to load, and most series know no country

    if not country or country not in holidays.list_supported_countries():
        return frozenset()
    return frozenset(holidays.country_holidays(country, years=year))


class Calendar:
    """Tells the time of day (as a share of it) and the hour of the week; holidays count as Sundays."""

    def __init__(self, zone: str = "UTC", country: str = "") -> None:
        self.zone = ZoneInfo(zone)
        self.country = country
        self.plain = zone == "UTC" and not country

    def place(self, at: float) -> tuple[float, int]:
        """Return the share of the day that has passed, and the hour of the week (0 is Monday midnight)."""
        if self.plain:
            days, second = divmod(at, DAY)
            weekday = (int(days) + EPOCH_WEEKDAY) % 7
            return second / DAY, weekday * 24 + min(23, int(second // 3600))
        moment = datetime.fromtimestamp(at, self.zone)
        passed = timedelta(
            hours=moment.hour, minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond
        )
        holiday = self.country and moment.date() in feasts(self.country, moment.year)
        weekday = SUNDAY if holiday else moment.weekday()
        return passed.total_seconds() / DAY, weekday * 24 + moment.hour
