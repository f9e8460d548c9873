"""Tenants and the people who work for them."""

import zoneinfo

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.faults import shown
from tenants.isolation import new_id

SLUG = RegexValidator(
    r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$",
    _("Use 1 to 63 lower-case letters, digits and inner hyphens."),
)


def validate_time_zone(name: str) -> None:
    """Refuse a name that is not in the IANA time zone database."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("%(name)s is not an IANA time zone; write one such as Europe/Paris."), params={"name": shown(name)}
        )


class Tenant(models.Model):
    """A team, label, product or customer whose alerts and configuration nobody else sees."""

    class Environment(models.TextChoices):
        PRODUCTION = "production", _("production")
        STAGING = "staging", _("staging")
        DEVELOPMENT = "development", _("development")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(_("slug"), max_length=63, unique=True, validators=[SLUG])
    name = models.CharField(_("name"), max_length=120)
    locale = models.CharField(_("language"), max_length=12, choices=settings.LANGUAGES, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    environment = models.CharField(
        _("environment"), max_length=16, choices=Environment.choices, default=Environment.PRODUCTION
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "tenant"
        ordering = ["name"]
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        # What a member or key may do in one tenant; granted per tenant through guardian, never globally.
        default_permissions = ()
        permissions = [
            ("view_alerts", _("See alerts, groups and deliveries")),
            ("act_on_alerts", _("Acknowledge, resolve, silence and comment")),
            ("send_alerts", _("Send alerts in")),
            ("view_configuration", _("See the configuration")),
            ("change_configuration", _("Change the configuration")),
            ("manage_members", _("Invite members and change roles")),
            ("manage_keys", _("Issue and revoke API keys")),
            ("view_audit", _("Read the audit log")),
            ("replay_deliveries", _("Replay dead letters and quarantined alerts")),
        ]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person who signs in; what they may do is said per tenant by a membership, never globally."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    locale = models.CharField(_("language"), max_length=12, choices=settings.LANGUAGES, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[validate_time_zone])

    class Meta:
        db_table = "person"
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.get_full_name() or self.username
