"""Escalation: policies, the escalations that run, and whom each step told."""

from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.isolation import TenantForeignKey, TenantOwned, TenantRow


class EscalationPolicy(TenantOwned):
    """Whom to call while nobody acknowledges. `levels` holds `alerting.escalation.plan.Level`s."""

    name = models.CharField(_("name"), max_length=80)
    levels = models.JSONField(_("levels"), default=list)
    repeat_count = models.PositiveSmallIntegerField(
        _("repeat"), default=0, validators=[MaxValueValidator(20)], help_text=_("How often to go through it again.")
    )
    repeat_wait = models.DurationField(_("wait before going through it again"), default=timedelta(minutes=10))
    acknowledge_timeout = models.DurationField(
        _("an acknowledgement holds for"), null=True, blank=True, help_text=_("Empty: until it is taken back.")
    )

    class Meta:
        db_table = "escalation_policy"
        ordering = ["name"]
        verbose_name = _("escalation policy")
        verbose_name_plural = _("escalation policies")
        constraints = [models.UniqueConstraint("tenant", "name", name="escalation_policy_name")]

    def __str__(self) -> str:
        return self.name


class EscalationState(models.TextChoices):
    RUNNING = "running", _("running")
    # Everybody was called; it goes on when severity rises or an acknowledgement ends.
    EXHAUSTED = "exhausted", _("everybody was called")
    ACKNOWLEDGED = "acknowledged", _("acknowledged")
    MUTED = "muted", _("muted")
    ENDED = "ended", _("ended")


class Escalation(TenantRow):
    """One policy at work for one group. `plan` is the policy as it was at the start: edits do not reach it.

    Locks are taken in the order deliveries, timer, escalation, notices. `run` rises with every new start, so
    that the deliveries of each are new ones.
    """

    group_id = models.UUIDField()
    policy_id = models.UUIDField()
    plan = models.JSONField()
    state = models.CharField(max_length=12, choices=EscalationState.choices, default="running", db_default="running")
    reason = models.CharField(max_length=64, blank=True, default="", db_default="")
    severity = models.PositiveSmallIntegerField()
    run = models.PositiveIntegerField(default=1, db_default=1)
    # The step that comes next, counted over all rounds, and when; while it is held, how long it would have taken.
    step = models.PositiveIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(null=True)
    remaining = models.DurationField(null=True)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "escalation"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "group_id", "policy_id"],
                condition=~models.Q(state="ended"),
                name="escalation_open",
            )
        ]
        indexes = [models.Index(fields=["tenant", "ended_at"], name="escalation_ended")]


class NoticeState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    SENT = "sent", _("sent")
    SUPERSEDED = "superseded", _("superseded")
    CANCELLED = "cancelled", _("cancelled")


class EscalationNotice(TenantRow):
    """One message of a step to one recipient: due at once, or later by the person's own rules."""

    escalation = TenantForeignKey(Escalation, models.CASCADE, related_name="notices")
    run = models.PositiveIntegerField()
    step = models.PositiveIntegerField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    who = models.CharField(max_length=200)
    channel_id = models.UUIDField()
    recipient = models.CharField(max_length=320)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=NoticeState.choices, default="waiting", db_default="waiting")
    delivery_id = models.UUIDField(null=True)

    class Meta:
        db_table = "escalation_notice"
        default_permissions = ()
        indexes = [
            models.Index(fields=["tenant", "escalation", "state"], name="escalation_notice_state"),
            models.Index(
                fields=["tenant", "delivery_id"],
                condition=models.Q(delivery_id__isnull=False),
                name="escalation_notice_delivery",
            ),
        ]
