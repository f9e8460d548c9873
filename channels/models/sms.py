"""What a tenant spends on SMS, each one that was let out, and the numbers that want none."""

import re
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from channels.models.channel import Channel
from channels.models.delivery import Delivery
from tenants.isolation import TenantForeignKey, TenantOwned, TenantRow

AMOUNT = re.compile(r"\d{1,3}(\.\d{1,4})?")


def validate_prices(prices: object) -> None:
    """Refuse what is not an amount, written as a text, by country."""
    good = isinstance(prices, dict) and all(
        re.fullmatch("[A-Z]{2}", code) and isinstance(amount, str) and AMOUNT.fullmatch(amount)
        for code, amount in prices.items()
    )
    if not good:
        raise ValidationError(_('Write prices by country such as {"AT": "0.07"}.'))


CURRENCY = RegexValidator(r"^[A-Z]{3}$", _("Write the currency's three letters, such as EUR."))


class SmsPlan(TenantOwned):
    """Limits of a tenant for all its SMS channels; a share of them is kept for what is critical."""

    per_number_hourly = models.PositiveIntegerField(
        _("to one number an hour"), default=20, validators=[MinValueValidator(1)]
    )
    hourly = models.PositiveIntegerField(_("to all numbers an hour"), default=500, validators=[MinValueValidator(1)])
    monthly_budget = models.DecimalField(
        _("monthly budget"),
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Empty: no limit. Months are those of the tenant's time zone."),
    )
    reserve_percent = models.PositiveSmallIntegerField(
        _("kept for critical, in percent"), default=20, validators=[MaxValueValidator(100)]
    )
    critical_over_budget = models.BooleanField(
        _("critical goes out over the budget"), default=True, help_text=_("Off: nothing goes out over it.")
    )
    price = models.DecimalField(
        _("price of a segment"),
        max_digits=8,
        decimal_places=4,
        default=Decimal("0.08"),
        validators=[MinValueValidator(0)],
    )
    prices = models.JSONField(
        _("prices by country"),
        default=dict,
        blank=True,
        validators=[validate_prices],
        help_text=_('Such as {"AT": "0.07"}; else the price above.'),
    )
    currency = models.CharField(_("currency"), max_length=3, default="EUR", validators=[CURRENCY])
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        db_table = "sms_plan"
        verbose_name = _("SMS plan")
        verbose_name_plural = _("SMS plans")
        constraints = [models.UniqueConstraint("tenant", name="sms_plan_one")]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)


class SmsReceipt(models.TextChoices):
    """How far a message got, by what the provider told since."""

    UNKNOWN = "", _("not told yet")
    QUEUED = "queued", _("queued")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("handed to the network")
    DELIVERED = "delivered", _("on the phone")
    UNDELIVERED = "undelivered", _("did not arrive")
    FAILED = "failed", _("failed")
    READ = "read", _("read")
    # Our own: it was on its way, and nothing came of it in time. The provider may still say better.
    UNCONFIRMED = "unconfirmed", _("not confirmed in time")


class SmsMessage(TenantRow):
    """One SMS that was let out: it counts against the plan, and keeps how far it got.

    `receipt_rank` only grows, so that what the provider tells late or twice changes nothing.
    """

    delivery = TenantForeignKey(Delivery, models.CASCADE, related_name="sms", verbose_name=_("delivery"))
    number = models.CharField(_("number"), max_length=20)
    code = models.CharField(_("code"), max_length=8)
    segments = models.PositiveSmallIntegerField(_("segments"))
    cost = models.DecimalField(_("estimated cost"), max_digits=10, decimal_places=4)
    is_critical = models.BooleanField(_("critical"), default=False)
    admitted_at = models.DateTimeField(_("let out"), db_default=Now())
    receipt = models.CharField(
        _("receipt"), max_length=16, choices=SmsReceipt.choices, blank=True, default="", db_default=""
    )
    receipt_rank = models.SmallIntegerField(default=-1, db_default=-1)
    receipt_at = models.DateTimeField(_("receipt at"), null=True)
    error_code = models.PositiveIntegerField(_("provider's error"), null=True)

    class Meta:
        db_table = "sms_message"
        default_permissions = ()
        verbose_name = _("SMS")
        verbose_name_plural = _("SMS")
        constraints = [models.UniqueConstraint("tenant", "delivery", name="sms_message_delivery")]
        indexes = [
            models.Index("tenant", "admitted_at", name="sms_message_admitted"),
            models.Index("tenant", "number", "admitted_at", name="sms_message_number"),
        ]


class SmsOptOut(TenantOwned):
    """A number whose owner wrote STOP to a channel; only they, or a person here with their word, take it back."""

    channel = TenantForeignKey(Channel, models.CASCADE, related_name="+", verbose_name=_("channel"))
    number = models.CharField(_("number"), max_length=20)
    source = models.CharField(_("how it is known"), max_length=80)
    opted_out_at = models.DateTimeField(_("since"), db_default=Now())

    class Meta:
        db_table = "sms_opt_out"
        ordering = ["-opted_out_at"]
        verbose_name = _("number that wants no SMS")
        verbose_name_plural = _("numbers that want no SMS")
        constraints = [models.UniqueConstraint("tenant", "channel", "number", name="sms_opt_out_number")]

    def __str__(self) -> str:
        return self.number


class ProviderEvent(TenantRow):
    """Something a provider called us about; kept so that the same call twice, or an older one late, does nothing."""

    provider = models.CharField(max_length=24)
    event_id = models.CharField(max_length=120)
    subject_id = models.UUIDField(null=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    outcome = models.CharField(max_length=40, blank=True, default="", db_default="")

    class Meta:
        db_table = "provider_event"
        default_permissions = ()
        constraints = [models.UniqueConstraint("tenant", "provider", "event_id", name="provider_event_once")]
        indexes = [
            models.Index("tenant", "provider", "subject_id", "occurred_at", name="provider_event_subject"),
            models.Index("tenant", "received_at", name="provider_event_received"),
        ]
