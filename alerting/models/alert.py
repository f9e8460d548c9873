"""Alerts: the latest state of each fingerprint of a tenant."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alerting.models.group import AlertGroup
from tenants.isolation import TenantForeignKey, TenantRow


class AlertStatus(models.TextChoices):
    FIRING = "firing", _("firing")
    RESOLVED = "resolved", _("resolved")


class SeverityLevel(models.IntegerChoices):
    """Ordered, so that the highest of a group is a maximum; names as in alerting/severity.py."""

    INFO = 10, _("info")
    WARNING = 20, _("warning")
    ERROR = 30, _("error")
    CRITICAL = 40, _("critical")


class ResolvedBecause(models.TextChoices):
    """Who or what ended an alert; decides whether a late repeat fires it again (alerting/pipeline/news.py)."""

    SENDER = "sender", _("its sender resolved it")
    PERSON = "person", _("a person resolved it")
    STALE = "stale", _("its sender fell silent")
    ENDED = "ended", _("the end its sender gave has passed")


class Alert(TenantRow):
    """One fingerprint. A repeat touches only `last_seen_at`, `repeat_count` and the metric value (no index
    there, so that PostgreSQL updates in place); `cycle` grows each time it fires again after a resolve."""

    fingerprint = models.BinaryField(_("fingerprint"), max_length=16)
    status = models.CharField(_("status"), max_length=12, choices=AlertStatus.choices)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=SeverityLevel.choices)
    labels = models.JSONField(_("labels"))
    annotations = models.JSONField(_("annotations"))
    # What enrichment added or changed, by step; the labels above already carry it.
    enrichment = models.JSONField(_("enrichment"), null=True)
    starts_at = models.DateTimeField(_("started"))
    ends_at = models.DateTimeField(_("ends"), null=True)
    generator_url = models.CharField(_("raised by"), max_length=2048, blank=True, default="", db_default="")
    metric_name = models.CharField(_("metric"), max_length=200, blank=True, default="", db_default="")
    metric_value = models.FloatField(_("value"), null=True)
    # What the door changed or doubted: clamped times, stripped characters, ...
    flags = ArrayField(
        models.CharField(max_length=32),
        default=list,
        db_default=models.Value([], ArrayField(models.CharField(max_length=32))),
    )
    cycle = models.PositiveIntegerField(_("times fired"), default=1, db_default=1)
    repeat_count = models.PositiveBigIntegerField(_("times received"), default=1, db_default=1)
    first_seen_at = models.DateTimeField(_("first seen"), db_default=Now())
    changed_at = models.DateTimeField(_("changed"), db_default=Now())
    last_seen_at = models.DateTimeField(_("last seen"), db_default=Now())
    resolved_at = models.DateTimeField(_("resolved"), null=True)
    resolved_because = models.CharField(
        _("resolved because"), max_length=12, choices=ResolvedBecause.choices, blank=True, default="", db_default=""
    )
    group = TenantForeignKey(AlertGroup, models.SET_NULL, null=True, related_name="alerts", verbose_name=_("group"))
    # Matches the source side of an inhibition rule: the few rows inhibition has to look at.
    is_inhibitor = models.BooleanField(default=False, db_default=False)
    # Why nobody is told about it now: [{"kind": "silence"|"inhibition"|"maintenance", "id", "name"}], or NULL.
    muted_by = models.JSONField(_("muted by"), null=True)
    # Times of the latest status changes (newest first, bounded), and whether it is flapping (alerting/flapping.py).
    changes = ArrayField(
        models.DateTimeField(), default=list, db_default=models.Value([], ArrayField(models.DateTimeField()))
    )
    is_flapping = models.BooleanField(_("flapping"), default=False, db_default=False)
    # What scoring said when it fired (alerting/scoring/scorer.py), or NULL.
    scores = models.JSONField(_("scores"), null=True)

    class Meta:
        db_table = "alert"
        ordering = ["-changed_at", "-id"]
        default_permissions = ()
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [models.UniqueConstraint("tenant", "fingerprint", name="alert_fingerprint")]
        indexes = [
            models.Index(fields=["tenant", "-changed_at", "-id"], name="alert_changed"),
            # Status and severity are there so that the highest severity of a group is one look into the index.
            models.Index(fields=["tenant", "group", "status", "severity"], name="alert_by_group"),
            models.Index(fields=["tenant", "group"], condition=models.Q(muted_by__isnull=False), name="alert_muted"),
            models.Index(fields=["tenant", "group"], condition=models.Q(is_flapping=True), name="alert_is_flapping"),
            models.Index(
                fields=["tenant"], condition=models.Q(is_inhibitor=True, status="firing"), name="alert_inhibitor"
            ),
        ]

    def __str__(self) -> str:
        return str(self.labels.get("alertname") or self.annotations.get("summary") or self.fingerprint.hex())
