"""Groups of alerts, what was told about them, their timers and their timeline."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from channels.models import Channel
from tenants.isolation import TenantForeignKey, TenantRow


class GroupStatus(models.TextChoices):
    FIRING = "firing", _("firing")
    ACKNOWLEDGED = "acknowledged", _("acknowledged")
    RESOLVED = "resolved", _("resolved")


class AlertGroup(TenantRow):
    """Alerts that people are told of together. Its key comes from the grouping rule and labels, never from the
    route: a change of severity re-routes the group and does not split it. One open group per key."""

    key = models.BinaryField(max_length=16)
    grouping_rule_id = models.UUIDField(null=True)
    labels = models.JSONField(_("common labels"))
    title = models.CharField(_("title"), max_length=300)
    status = models.CharField(
        _("status"), max_length=12, choices=GroupStatus.choices, default=GroupStatus.FIRING, db_default="firing"
    )
    # Highest severity among its firing alerts, kept when it resolves.
    severity = models.PositiveSmallIntegerField(_("severity"))
    firing_count = models.PositiveIntegerField(_("firing"), default=0, db_default=0)
    alert_count = models.PositiveIntegerField(_("alerts"), default=0, db_default=0)
    opened_at = models.DateTimeField(_("opened"), db_default=Now())
    changed_at = models.DateTimeField(_("changed"), db_default=Now())
    flushed_at = models.DateTimeField(_("last looked at"), null=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True)
    acknowledged_by = models.CharField(_("acknowledged by"), max_length=200, blank=True, default="", db_default="")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("assigned to"),
    )
    is_flapping = models.BooleanField(_("flapping"), default=False, db_default=False)
    # Why nobody was told when it was last looked at, so that the timeline says so once; empty when somebody was.
    untold_reason = models.CharField(max_length=64, blank=True, default="", db_default="")
    version = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        db_table = "alert_group"
        ordering = ["-changed_at", "-id"]
        default_permissions = ()
        verbose_name = _("alert group")
        verbose_name_plural = _("alert groups")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"], condition=~models.Q(status="resolved"), name="alert_group_open_key"
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "-opened_at", "-id"], name="alert_group_opened"),
            models.Index(fields=["tenant", "status", "-opened_at"], name="alert_group_status"),
        ]

    def __str__(self) -> str:
        return self.title


class NotificationLog(TenantRow):
    """What one destination was last told about one group: the firing and resolved alerts, when and why.

    Alerts are kept as 64-bit hashes of (fingerprint, cycle): small, and enough to tell new from known.
    """

    group = TenantForeignKey(AlertGroup, models.CASCADE, related_name="notification_log")
    channel = TenantForeignKey(Channel, models.CASCADE, related_name="+")
    recipient = models.CharField(max_length=320)
    firing = ArrayField(models.BigIntegerField())
    resolved = ArrayField(models.BigIntegerField())
    severity = models.PositiveSmallIntegerField()
    was_flapping = models.BooleanField(default=False, db_default=False)
    reason = models.CharField(max_length=32)
    told_at = models.DateTimeField(db_default=Now())
    # What the channel needs to find its message again (a Slack ts, a thread id).
    receiver_data = models.JSONField(null=True)

    class Meta:
        db_table = "notification_log"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint("tenant", "group", "channel", "recipient", name="notification_log_destination")
        ]


class Timer(models.Model):
    """Queue table: what must be looked at next and when; ids and times of all tenants, nothing else."""

    class Kind(models.TextChoices):
        GROUP = "group"
        # The tenant's configuration changed: its open groups are looked at again. Set by the revision's trigger.
        SETTINGS = "settings"
        # A step of an escalation; somebody else goes on call.
        ESCALATION = "escalation"
        HAND_OVER = "hand_over"
        # A press in Slack that waits to be done.
        SLACK_ACT = "slack_act"

    tenant_id = models.UUIDField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    object_id = models.UUIDField()
    due_at = models.DateTimeField()

    pk = models.CompositePrimaryKey("tenant_id", "kind", "object_id")

    class Meta:
        db_table = "timer"
        default_permissions = ()
        indexes = [models.Index("due_at", name="timer_due")]


class TimelineEvent(TenantRow):
    """One line of a group's or alert's history; append-only. Also says why somebody was not told."""

    at = models.DateTimeField(_("when"), db_default=Now())
    group_id = models.UUIDField(null=True)
    alert_id = models.UUIDField(null=True)
    kind = models.CharField(_("what"), max_length=32)
    reason = models.CharField(_("why"), max_length=64, blank=True, default="", db_default="")
    actor = models.CharField(_("who"), max_length=200, blank=True, default="", db_default="")
    data = models.JSONField(_("details"), null=True)

    class Meta:
        db_table = "timeline_event"
        ordering = ["at", "id"]
        default_permissions = ()
        verbose_name = _("timeline event")
        verbose_name_plural = _("timeline")
        indexes = [
            models.Index("tenant", "group_id", "id", name="timeline_event_group"),
            models.Index(
                "tenant", "alert_id", "id", condition=models.Q(alert_id__isnull=False), name="timeline_event_alert"
            ),
        ]
