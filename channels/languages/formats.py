"""Numbers, money, units, dates and spans as a culture writes them; Babel's data, with what is slow kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, numbers
from babel.dates import format_date

from channels.languages.locales import babel_locale

Width = Literal["long", "short", "narrow"]
When = Literal["auto", "full", "date", "time"]

SPANS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
#: A span is told in the greatest unit of which it has at least so many: 90 minutes, then 2 hours.
LEAST_IN_UNIT: Final = 2
BYTE_UNITS: Final = ("byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte")
BYTES: Final = {"b": 0, "byte": 0, "bytes": 0, "kb": 1, "mb": 2, "gb": 3, "tb": 4, "pb": 5}
PERCENT: Final = {"%": 1, "percent": 1, "pct": 1, "ratio": 100}
SECONDS: Final = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 0.001, "millisecond": 0.001}
SECONDS_MORE: Final = {"milliseconds": 0.001, "min": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hour": 3600.0}
PLAIN: Final = {"c": "temperature-celsius", "celsius": "temperature-celsius", "°c": "temperature-celsius"}
GREATEST: Final = 10**15
DIGITS: Final = 2
FEW: Final = 1_000


def number(value: object, locale: str, digits: int = DIGITS) -> str:
    """Write a number with at most so many decimals; what is no number is written as it is."""
    if type(value) is int and 0 <= value < FEW:
        return _count(value, locale)
    parsed = read_number(value)
    return str(value) if parsed is None else _number(parsed, locale, max(0, min(digits, 6)))


@lru_cache(maxsize=4096)
def _count(value: int, locale: str) -> str:
    """Counts are few and small, and in every message several times."""
    return _number(Decimal(value), locale, 0)


def percent(value: object, locale: str, digits: int = DIGITS) -> str:
    """Write a number of hundredths (96.4) as a percentage."""
    parsed = read_number(value)
    return str(value) if parsed is None else _percent(parsed, locale, max(0, min(digits, 4)))


def money(value: object, currency: str, locale: str) -> str:
    """Write an amount in a currency of ISO 4217; an unknown one is written behind the number."""
    parsed, code = read_number(value), str(currency).strip().upper()
    if parsed is None:
        return str(value)
    if code not in babel_locale("en").currencies:
        return f"{number(value, locale)} {code}".strip()
    return _money(parsed, code, locale)


def unit(value: object, name: str, locale: str) -> str:
    """Write a measured value: %, bytes, seconds, a currency, or the name of the unit behind the number."""
    parsed, known = read_number(value), str(name).strip()
    if parsed is None or not known:
        return number(value, locale)
    lower = known.lower()
    if lower in PERCENT:
        return percent(parsed * PERCENT[lower], locale)
    if lower in BYTES:
        return _bytes(float(parsed) * 1000 ** BYTES[lower], locale)
    if seconds := SECONDS.get(lower) or SECONDS_MORE.get(lower):
        return _seconds(float(parsed) * seconds, locale)
    if lower in PLAIN:
        return _measured(number(parsed, locale, 1), float(parsed), PLAIN[lower], "short", locale)
    if len(known) == 3 and known.upper() in babel_locale("en").currencies:
        return money(parsed, known, locale)
    return f"{number(parsed, locale)} {known}"


def duration(seconds: float, locale: str, width: Width = "long") -> str:
    """Write a span in its two greatest units: 1 hour, 30 minutes."""
    whole = _whole(seconds)
    for index, (name, size) in enumerate(SPANS):
        if whole >= size:
            first = _measured(str(whole // size), whole // size, f"duration-{name}", width, locale)
            rest = whole % size // SPANS[index + 1][1] if size > 1 else 0
            if not rest:
                return first
            second = _measured(str(rest), rest, f"duration-{SPANS[index + 1][0]}", width, locale)
            return _joined(first, second, width, locale)
    return _measured("0", 0, "duration-second", width, locale)


def ago(seconds: float, locale: str, width: Width = "long") -> str:
    """Say how long ago it was, or how far ahead it is when negative, in one unit."""
    whole, direction = _whole(seconds), "past" if seconds >= 0 else "future"
    name, size = next((pair for pair in SPANS if whole >= pair[1] * LEAST_IN_UNIT), SPANS[-1])
    return _relative(whole // size, name, direction, width, locale)


def when(at: datetime, now: datetime | None, zone: str, locale: str, style: When = "auto") -> str:
    """Write a time in the reader's zone; `auto` leaves out the day when it is the day of the message."""
    local = at.astimezone(time_zone(zone))
    if style == "date":
        return _date(local.date().toordinal(), locale)
    is_today = now is not None and now.astimezone(local.tzinfo).date() == local.date()
    clock = f"{_clock(local.hour, local.minute, locale)} {_zone_name(local)}"
    if style == "time" or (style == "auto" and is_today):
        return clock
    return f"{_date(local.date().toordinal(), locale)}, {clock}"


def read_number(value: object) -> Decimal | None:
    """Read a finite number of sane size out of a number or a text."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    if len(text) > 40:
        return None
    try:
        parsed = Decimal(text)
    except InvalidOperation:
        return None
    return parsed if parsed.is_finite() and abs(parsed) <= GREATEST else None


def read_time(value: object) -> datetime | None:
    """Read an ISO time; one without a zone is UTC."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@lru_cache(maxsize=512)
def time_zone(name: str) -> tzinfo:
    """Return the zone of that name; UTC for an unknown one."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _whole(seconds: float) -> int:
    return int(min(abs(seconds), 1e12)) if math.isfinite(seconds) else 0


@lru_cache(maxsize=4096)
def _number(value: Decimal, locale: str, digits: int) -> str:
    return numbers.format_decimal(round(value, digits).normalize() + 0, locale=babel_locale(locale), format=None)


@lru_cache(maxsize=2048)
def _percent(value: Decimal, locale: str, digits: int) -> str:
    shown = (round(value, digits).normalize() + 0) / 100
    return numbers.format_percent(shown, locale=babel_locale(locale), decimal_quantization=False)


@lru_cache(maxsize=2048)
def _money(value: Decimal, code: str, locale: str) -> str:
    known = babel_locale(locale)
    if value != value.to_integral_value():
        return numbers.format_currency(value, code, locale=known)
    # Whole amounts of any size are read without cents.
    pattern = known.currency_formats["standard"].pattern.replace(".00", "")
    return numbers.format_currency(value, code, format=pattern, currency_digits=False, locale=known)


def _bytes(value: float, locale: str) -> str:
    step = 0
    while abs(value) >= 1000 and step < len(BYTE_UNITS) - 1:
        value, step = value / 1000, step + 1
    shown = round(value, 1)
    return _measured(number(shown, locale, 1), shown, f"digital-{BYTE_UNITS[step]}", "short", locale)


def _seconds(value: float, locale: str) -> str:
    if abs(value) >= 60:
        return duration(value, locale, "short")
    if abs(value) < 1:
        shown = round(value * 1000, 1)
        return _measured(number(shown, locale, 1), shown, "duration-millisecond", "short", locale)
    return _measured(number(value, locale), value, "duration-second", "short", locale)


def _measured(shown: str, value: float, name: str, width: Width, locale: str) -> str:
    patterns = _unit_patterns(name, width, locale)
    form = _plural(locale)(abs(value))
    return (patterns.get(form) or patterns["other"]).replace("{0}", shown)


@lru_cache(maxsize=1024)
def _unit_patterns(name: str, width: Width, locale: str) -> dict[str, str]:
    known = babel_locale(locale)
    found: dict[str, str] = known._data["unit_patterns"].get(name, {}).get(width) or {}
    return found if "other" in found else {"other": "{0} " + name.rpartition("-")[2]}


@lru_cache(maxsize=4096)
def _relative(count: int, name: str, direction: str, width: Width, locale: str) -> str:
    known = babel_locale(locale)
    field = name if width == "long" else f"{name}-{width}"
    patterns = known._data["date_fields"][field][direction]
    text: str = patterns.get(known.plural_form(count)) or patterns["other"]
    return text.replace("{0}", _number(Decimal(count), locale, 0))


@lru_cache(maxsize=256)
def _plural(locale: str) -> Callable[[float], str]:
    return babel_locale(locale).plural_form


@lru_cache(maxsize=1024)
def _joined(first: str, second: str, width: Width, locale: str) -> str:
    if width != "long":
        return f"{first}\u00a0{second}"
    pattern: str = babel_locale(locale).list_patterns["standard"]["2"]
    return pattern.replace("{0}", first).replace("{1}", second)


@lru_cache(maxsize=4096)
def _date(ordinal: int, locale: str) -> str:
    return format_date(datetime.fromordinal(ordinal).date(), "medium", locale=babel_locale(locale))


@lru_cache(maxsize=2048)
def _clock(hour: int, minute: int, locale: str) -> str:
    known: Locale = babel_locale(locale)
    pattern = known.time_formats["short"]
    return str(pattern.apply(datetime(2000, 1, 1, hour, minute, tzinfo=UTC), known)).replace("\u202f", "\u00a0")


def _zone_name(local: datetime) -> str:
    name = local.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name
