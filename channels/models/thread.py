"""Threads at a provider, the people there who are members here, what providers called, and addresses that are dead."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from channels.models.channel import Channel
from tenants.isolation import TenantForeignKey, TenantOwned, TenantRow


class ThreadAnchor(TenantRow):
    """Where a provider keeps the one message about a source, so that the next one changes it and goes into its thread.

    `reference` is the adapter's own (a Slack channel and ts); `told_at` is the time of the state shown there.
    """

    channel = TenantForeignKey(Channel, models.CASCADE, related_name="+", verbose_name=_("channel"))
    recipient = models.CharField(_("recipient"), max_length=320)
    source_id = models.UUIDField(_("source"))
    reference = models.JSONField()
    severity = models.PositiveSmallIntegerField(default=0, db_default=0)
    told_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "thread_anchor"
        default_permissions = ()
        constraints = [models.UniqueConstraint("tenant", "channel", "recipient", "source_id", name="thread_anchor_one")]
        indexes = [models.Index("tenant", "updated_at", name="thread_anchor_updated")]


class ChannelIdentity(TenantOwned):
    """Who a provider's user is here: made by the person, who opened a signed link while signed in."""

    channel = TenantForeignKey(Channel, models.CASCADE, related_name="identities", verbose_name=_("channel"))
    external_id = models.CharField(_("user there"), max_length=64)
    external_name = models.CharField(_("name there"), max_length=120, blank=True, default="", db_default="")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    linked_at = models.DateTimeField(_("linked"), db_default=Now())

    class Meta:
        db_table = "channel_identity"
        ordering = ["external_name", "external_id"]
        verbose_name = _("linked account")
        verbose_name_plural = _("linked accounts")
        constraints = [models.UniqueConstraint("tenant", "channel", "external_id", name="channel_identity_one")]

    def __str__(self) -> str:
        return self.external_name or self.external_id


class CallbackCall(TenantRow):
    """One call of a provider to a channel's address, with what came of it: tells why a button does nothing."""

    channel = TenantForeignKey(Channel, models.CASCADE, related_name="calls", verbose_name=_("channel"))
    received_at = models.DateTimeField(_("when"), db_default=Now())
    act = models.CharField(_("what"), max_length=40, blank=True, default="", db_default="")
    external_user = models.CharField(_("user there"), max_length=64, blank=True, default="", db_default="")
    outcome = models.CharField(_("outcome"), max_length=32)
    detail = models.CharField(_("details"), max_length=300, blank=True, default="", db_default="")
    took_ms = models.PositiveIntegerField(_("milliseconds"), default=0, db_default=0)

    class Meta:
        db_table = "callback_call"
        ordering = ["-received_at"]
        default_permissions = ()
        indexes = [models.Index(fields=["tenant", "channel", "-received_at"], name="callback_call_recent")]


class PausedAddress(TenantOwned):
    """An address that bounced for good or complained: nothing is sent there until a person takes it off."""

    class Why(models.TextChoices):
        BOUNCED = "bounced", _("mail to it came back")
        REFUSED = "refused", _("its mail server refuses it")
        COMPLAINED = "complained", _("its reader called it spam")
        UNSUBSCRIBED = "unsubscribed", _("its reader wants no more")

    address = models.CharField(_("address"), max_length=320)
    why = models.CharField(_("why"), max_length=16, choices=Why.choices)
    detail = models.CharField(_("provider's words"), max_length=300, blank=True, default="", db_default="")
    paused_at = models.DateTimeField(_("since"), db_default=Now())

    class Meta:
        db_table = "paused_address"
        ordering = ["-paused_at"]
        verbose_name = _("paused address")
        verbose_name_plural = _("paused addresses")
        constraints = [models.UniqueConstraint("tenant", "address", name="paused_address_one")]

    def __str__(self) -> str:
        return self.address
