"""Where a tenant's metrics come from, how each source is doing, and which metrics of the catalogue it has."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from encrypted_model_fields.fields import EncryptedTextField

from tenants.isolation import TenantForeignKey, TenantOwned

SHORTEST, LONGEST = timedelta(seconds=10), timedelta(days=1)


class Source(TenantOwned):
    """One place that is asked for values at an interval. `kind` is a plain string checked against the registry."""

    secret_fields = ("credentials",)

    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=32)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    # JSON text of the collector's Credentials, encrypted at rest, never shown again.
    credentials = EncryptedTextField(_("credentials"), blank=True, default="")
    labels = models.JSONField(
        _("labels"), default=dict, blank=True, help_text=_("Added to every series; they win over what the source says.")
    )
    interval = models.DurationField(
        _("interval"),
        default=timedelta(minutes=1),
        validators=[MinValueValidator(SHORTEST), MaxValueValidator(LONGEST)],
    )
    timeout = models.PositiveSmallIntegerField(
        _("time limit in seconds"), default=10, validators=[MinValueValidator(1), MaxValueValidator(30)]
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        db_table = "metric_source"
        ordering = ["name"]
        verbose_name = _("metric source")
        verbose_name_plural = _("metric sources")
        constraints = [models.UniqueConstraint("tenant", "name", name="metric_source_name")]

    def __str__(self) -> str:
        return self.name


class SourceState(TenantOwned):
    """How a source is doing, and what it remembers from look to look; there once it was asked."""

    class Health(models.TextChoices):
        HEALTHY = "healthy", _("healthy")
        DEGRADED = "degraded", _("degraded")
        FAILING = "failing", _("failing")

    source = TenantForeignKey(Source, models.CASCADE, related_name="state", verbose_name=_("metric source"))
    health = models.CharField(_("health"), max_length=8, choices=Health.choices)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    # The kind of the last failure, and what is wrong in words; empty while all is well.
    trouble = models.CharField(max_length=16, blank=True, default="")
    words = models.CharField(_("what is wrong"), max_length=500, blank=True, default="")
    looked_at = models.DateTimeField(_("last asked"))
    succeeded_at = models.DateTimeField(_("last answer"), null=True)
    took_ms = models.PositiveIntegerField(_("milliseconds"), default=0)
    series = models.PositiveIntegerField(_("series"), default=0)
    points = models.PositiveIntegerField(_("values"), default=0)
    # Some of what was found last, to be looked at.
    samples = models.JSONField(_("last values"), default=list)
    # msgspec's MessagePack of collectors.base.Memory.
    memory = models.BinaryField(default=b"")

    class Meta:
        db_table = "metric_source_state"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "source"], name="metric_source_state_source")]


class SourceDue(models.Model):
    """Queue table: when which source is asked next, of all tenants; kept by a trigger on metric_source."""

    source_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    due_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "metric_source_due"
        default_permissions = ()
        indexes = [models.Index("due_at", name="metric_source_due_at")]


class MetricChoice(TenantOwned):
    """A metric of the catalogue that the tenant has: series of this name are that metric."""

    key = models.CharField(_("catalogue entry"), max_length=64)
    metric = models.CharField(_("name of the series"), max_length=256)
    settings = models.JSONField(
        _("settings"), default=dict, blank=True, help_text=_("For metrics that are computed, such as drift.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "metric_choice"
        ordering = ["key"]
        verbose_name = _("metric of the catalogue")
        verbose_name_plural = _("metrics of the catalogue")
        constraints = [
            models.UniqueConstraint("tenant", "key", name="metric_choice_key"),
            models.UniqueConstraint("tenant", "metric", name="metric_choice_metric"),
        ]

    def __str__(self) -> str:
        return self.key
