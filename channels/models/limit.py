"""Limits that several channels share: all of the tenant, of one Slack workspace, of one mail server."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.isolation import TenantOwned

#: The limit that every message of the tenant counts against.
WHOLE_TENANT = "tenant"


class SharedLimit(TenantOwned):
    """A token bucket of several channels, and until when their provider asked all of them to wait.

    `throttled_channel` was the last of them to be told to slow down, until `throttled_until`: when another one
    is told so meanwhile, it is the whole account that the provider means.
    """

    key = models.CharField(max_length=80, editable=False)
    kind = models.CharField(_("kind of channel"), max_length=32, blank=True, default="", db_default="", editable=False)
    detail = models.CharField(_("shared by"), max_length=120, blank=True, default="", db_default="", editable=False)
    rate_per_minute = models.PositiveIntegerField(
        _("messages a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: what is usual for it."),
    )
    usual_per_minute = models.PositiveIntegerField(_("usual"), default=60, db_default=60, editable=False)
    tokens = models.FloatField(default=0, db_default=0, editable=False)
    tokens_at = models.DateTimeField(null=True, editable=False)
    blocked_until = models.DateTimeField(_("paused until"), null=True, editable=False)
    blocked_reason = models.CharField(
        _("why paused"), max_length=300, blank=True, default="", db_default="", editable=False
    )
    throttled_channel = models.UUIDField(null=True, editable=False)
    throttled_until = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(_("changed"), db_default=Now(), editable=False)

    class Meta:
        db_table = "shared_limit"
        ordering = ["kind", "detail"]
        verbose_name = _("shared limit")
        verbose_name_plural = _("shared limits")
        constraints = [models.UniqueConstraint("tenant", "key", name="shared_limit_key")]

    def __str__(self) -> str:
        return str(_("all messages")) if self.key == WHOLE_TENANT else f"{self.kind}: {self.detail}"
