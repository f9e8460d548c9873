"""Channels: the configured destinations of a tenant, and the message templates they use."""

from django.conf import settings as service
from django.db import models
from django.utils.translation import gettext_lazy as _
from encrypted_model_fields.fields import EncryptedTextField
from guardian.models import UserObjectPermissionBase

from tenants.isolation import TenantForeignKey, TenantOwned
from tenants.models.tenant import validate_time_zone


class Semantics(models.TextChoices):
    """What happens after a send whose outcome is unknown (time-out or crash after the bytes left)."""

    AT_LEAST_ONCE = "at_least_once", _("at least once: send again when in doubt")
    AT_MOST_ONCE = "at_most_once", _("at most once: never send twice")


class MessageTemplate(TenantOwned):
    """A tenant's own texts for one kind of channel; parts left out fall back to the built-in ones."""

    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind of channel"), max_length=32)
    parts = models.JSONField(_("parts"), default=dict, help_text=_("Jinja2 source by part, such as subject or text."))
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        db_table = "message_template"
        ordering = ["name"]
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        constraints = [models.UniqueConstraint("tenant", "name", name="message_template_name")]

    def __str__(self) -> str:
        return self.name


class Channel(TenantOwned):
    """One destination of one kind. `kind` is a plain string checked against the registry: no migration per kind."""

    secret_fields = ("credentials",)

    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=32)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    # JSON text of the adapter's Credentials, encrypted at rest, never shown again.
    credentials = EncryptedTextField(_("credentials"), blank=True, default="")
    template = TenantForeignKey(
        MessageTemplate, models.SET_NULL, null=True, blank=True, related_name="channels", verbose_name=_("template")
    )
    locale = models.CharField(_("language"), max_length=12, choices=service.LANGUAGES, blank=True)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        db_default="",
        validators=[validate_time_zone],
        help_text=_("Empty: the tenant's."),
    )
    semantics = models.CharField(
        _("after an unknown outcome"), max_length=16, choices=Semantics.choices, default=Semantics.AT_LEAST_ONCE
    )
    rate_per_minute = models.PositiveIntegerField(
        _("messages a minute"), null=True, blank=True, help_text=_("Empty: what the provider allows.")
    )
    send_resolved = models.BooleanField(_("tell when resolved"), default=True)
    is_active = models.BooleanField(_("active"), default=True)
    disabled_reason = models.CharField(_("why it was switched off"), max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        db_table = "channel"
        ordering = ["name"]
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [models.UniqueConstraint("tenant", "name", name="channel_name")]

    def __str__(self) -> str:
        return self.name


class ChannelUserGrant(UserObjectPermissionBase):
    """A person's permission on one channel, beyond what their role gives."""

    content_object = models.ForeignKey(Channel, models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False
        db_table = "channel_user_grant"


class TemplateUserGrant(UserObjectPermissionBase):
    """A person's permission on one message template, beyond what their role gives."""

    content_object = models.ForeignKey(MessageTemplate, models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False
        db_table = "message_template_user_grant"
