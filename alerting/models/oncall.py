"""On-call: schedules with their layers and overrides, how each member is reached, and in which order."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from channels.models import Channel
from tenants.isolation import TenantForeignKey, TenantOwned
from tenants.models.tenant import validate_time_zone


class OnCallSchedule(TenantOwned):
    """Who is on call when. `layers` holds `alerting.oncall.layers.LayerRow`s; a later one covers those before it."""

    name = models.CharField(_("name"), max_length=80)
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, validators=[validate_time_zone], help_text=_("Empty: the tenant's.")
    )
    layers = models.JSONField(_("layers"), default=list, blank=True)
    notifies_hand_over = models.BooleanField(_("tell people when their shift begins"), default=True)
    import_url = models.URLField(
        _("overrides from a calendar"),
        max_length=500,
        blank=True,
        help_text=_("The address of an .ics file; its events become overrides."),
    )
    # Part of the address of the calendar feed: another number makes the old address useless.
    feed_number = models.PositiveIntegerField(default=1, db_default=1, editable=False)

    class Meta:
        db_table = "on_call_schedule"
        ordering = ["name"]
        verbose_name = _("on-call schedule")
        verbose_name_plural = _("on-call schedules")
        constraints = [models.UniqueConstraint("tenant", "name", name="on_call_schedule_name")]

    def __str__(self) -> str:
        return self.name


class ScheduleState(TenantOwned):
    """What was last done for a schedule: who was told of being on call, and how its calendar was read."""

    schedule = TenantForeignKey(OnCallSchedule, models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    looked_at = models.DateTimeField(null=True)
    imported_at = models.DateTimeField(null=True)
    import_error = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta:
        db_table = "on_call_schedule_state"
        default_permissions = ()
        constraints = [models.UniqueConstraint("tenant", "schedule", name="on_call_schedule_state_one")]


class ScheduleOverride(TenantOwned):
    """Somebody on call for a time, in place of whoever it would be or of one person only (a swap)."""

    schedule = TenantForeignKey(
        OnCallSchedule, models.CASCADE, related_name="overrides", verbose_name=_("on-call schedule")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("who is on call")
    )
    replaces = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("in place of"),
        help_text=_("Empty: in place of whoever it would be."),
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    comment = models.CharField(_("comment"), max_length=200, blank=True)
    # Names the event of the calendar it came from; empty when a person made it.
    source = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        db_table = "schedule_override"
        ordering = ["-starts_at"]
        verbose_name = _("override")
        verbose_name_plural = _("overrides")
        indexes = [models.Index(fields=["tenant", "schedule", "ends_at"], name="schedule_override_ends")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="schedule_override_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.starts_at:%Y-%m-%d %H:%M}"


class ContactMethod(TenantOwned):
    """An address a member is reached at through one of the tenant's channels, whose kind is that of the address."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    channel = TenantForeignKey(Channel, models.CASCADE, related_name="+", verbose_name=_("through"))
    address = models.CharField(
        _("address"), max_length=254, help_text=_("An e-mail address, a telephone number or a Slack member id.")
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True, editable=False)
    # A keyed digest of the code that was sent, until when it holds, and how often a wrong one was given.
    code_digest = models.BinaryField(max_length=32, null=True, editable=False)
    code_until = models.DateTimeField(null=True, editable=False)
    code_tries = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        db_table = "contact_method"
        ordering = ["created_at", "id"]
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [models.UniqueConstraint("tenant", "person", "channel", "address", name="contact_method_once")]

    def __str__(self) -> str:
        return f"{self.channel}: {self.address}"


class Importance(models.TextChoices):
    """How pressing an escalation's level is; each has rules of its own."""

    NORMAL = "normal", _("normal")
    URGENT = "urgent", _("urgent")


class NotificationRule(TenantOwned):
    """One step of how a member is told: after so long, at this contact, unless somebody acknowledged by then."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    importance = models.CharField(_("importance"), max_length=8, choices=Importance.choices, default=Importance.NORMAL)
    wait = models.DurationField(_("after"))
    contact = TenantForeignKey(ContactMethod, models.CASCADE, related_name="+", verbose_name=_("contact"))

    class Meta:
        db_table = "notification_rule"
        ordering = ["importance", "wait", "id"]
        verbose_name = _("notification rule")
        verbose_name_plural = _("notification rules")
        constraints = [
            models.UniqueConstraint("tenant", "person", "importance", "contact", name="notification_rule_once")
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.contact}"
