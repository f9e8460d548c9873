"""Judges schedules, overrides, contacts and rules before they are saved."""

import re
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from alerting.models import ContactMethod, NotificationRule, OnCallSchedule, ScheduleOverride
from alerting.oncall.layers import LayerError, check
from channels.egress import EgressError, check_url
from channels.sms.numbers import InvalidNumber, read_number
from tenants.models import Membership

LONGEST_OVERRIDE: Final = timedelta(days=366)
LONGEST_WAIT: Final = timedelta(hours=12)
#: Kinds of channels whose messages can go to a person's own address.
PERSONAL_KINDS: Final = ("email", "slack", "sms")
_SLACK_PERSON: Final = re.compile(r"[UWD][A-Z0-9]{5,20}")


def check_schedule(schedule: OnCallSchedule) -> None:
    """Its layers can be used by members, and its calendar can be asked for."""
    members = set(Membership._default_manager.values_list("user_id", flat=True))
    try:
        schedule.layers = check(schedule.layers, members)
    except LayerError as error:
        raise ValidationError({"layers": str(error)}) from error
    if schedule.import_url:
        try:
            check_url(schedule.import_url)
        except EgressError as error:
            raise ValidationError({"import_url": str(error)}) from error


def check_override(override: ScheduleOverride) -> None:
    """In order, not too long, of members."""
    if override.ends_at <= override.starts_at:
        raise ValidationError({"ends_at": _("It ends after it begins.")})
    if override.ends_at - override.starts_at > LONGEST_OVERRIDE:
        raise ValidationError({"ends_at": _("An override lasts at most a year.")})
    if override.replaces_id is not None and override.replaces_id == override.person_id:
        raise ValidationError({"replaces": _("Nobody stands in for themselves.")})
    _check_member(override.person_id, "person")
    if override.replaces_id is not None:
        _check_member(override.replaces_id, "replaces")


def check_contact(contact: ContactMethod) -> None:
    """An address that fits the kind of its channel."""
    _check_member(contact.person_id, "person")
    kind, address = contact.channel.kind, contact.address.strip()
    if kind not in PERSONAL_KINDS:
        raise ValidationError({"channel": _("Choose a channel for e-mail, SMS or Slack.")})
    try:
        if kind == "email":
            validate_email(address)
        elif kind == "sms":
            address = read_number(address, [])
        elif not _SLACK_PERSON.fullmatch(address):
            raise ValidationError({"address": _("Give a Slack member id such as U0123456789.")})
    except InvalidNumber as error:
        raise ValidationError({"address": str(error)}) from error
    except ValidationError as error:
        raise ValidationError({"address": error.messages}) from error
    contact.address = address


def check_rule(rule: NotificationRule) -> None:
    """The person's own contact, within half a day."""
    if rule.contact.person_id != rule.person_id:
        raise ValidationError({"contact": _("Choose a contact of this person.")})
    if not timedelta(0) <= rule.wait <= LONGEST_WAIT:
        raise ValidationError({"wait": _("Wait from 0 to %(hours)d hours.") % {"hours": 12}})


def _check_member(user_id: UUID | str, field: str) -> None:
    if not Membership._default_manager.filter(user_id=user_id).exists():
        raise ValidationError({field: _("Choose a member of this tenant.")})
