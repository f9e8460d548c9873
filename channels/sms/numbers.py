"""Telephone numbers: read as people write them, kept as E.164, allowed by country."""

from __future__ import annotations

from collections.abc import Collection

import phonenumbers
from django.conf import settings
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType

#: Kinds of numbers that cost whoever writes to them, the usual aim of fraud by SMS.
COSTLY = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})


class InvalidNumber(ValueError):
    """A number that cannot be written to, with the reason in words."""


def read_number(text: str, countries: Collection[str] = ()) -> str:
    """Return a number in E.164 or raise `InvalidNumber`.

    Without a country code it is read as one of the first of `countries`; with `countries` given, a number
    of any other country is refused, as is one outside the operator's settings.SMS_COUNTRIES.
    """
    region = next(iter(countries), None)
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise InvalidNumber(_("Write the number with its country code, such as +43 664 1234567.")) from None
    if not phonenumbers.is_valid_number(number):
        raise InvalidNumber(_("There is no such telephone number."))
    if phonenumbers.number_type(number) in COSTLY:
        raise InvalidNumber(_("Messages to numbers that cost extra are not sent."))
    country = phonenumbers.region_code_for_number(number) or ""
    for allowed in (countries, getattr(settings, "SMS_COUNTRIES", ())):
        if allowed and country not in allowed:
            raise InvalidNumber(_("Numbers of this country are not allowed."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_of(number: str) -> str:
    """Return the country of an E.164 number, empty when it has none."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or ""
    except phonenumbers.NumberParseException:
        return ""


def is_country(code: str) -> bool:
    """Say whether two letters name a country that has telephone numbers."""
    return code in phonenumbers.SUPPORTED_REGIONS
