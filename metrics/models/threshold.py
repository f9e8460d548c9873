"""What a tenant wants to be told about its series, what was found, and what people thought of it."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alerting.severity import CHOICES, DEFAULT
from metrics.models.series import Series
from tenants.isolation import TenantForeignKey, TenantOwned

ZERO = timedelta(0)
RATIO = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class ThresholdKind(models.TextChoices):
    """What a threshold asks; the settings of each kind are typed in metrics/thresholds/conditions.py."""

    STATIC = "static", _("fixed limit")
    RATE = "rate", _("rate of change")
    RATIO = "ratio", _("ratio of two metrics")
    COMPARISON = "comparison", _("compared with the same time before")
    ABSENCE = "absence", _("no data")
    ADAPTIVE = "adaptive", _("unusual for the series")
    CHANGE = "change", _("lasting change")
    FORECAST = "forecast", _("going to cross a limit")
    COMPOSITE = "composite", _("several conditions")
    ENTITY = "entity", _("metrics that do not fit together")


class Paging(models.TextChoices):
    """Whether what is found becomes an alert."""

    EARNED = "earned", _("once its precision is good enough")
    ALWAYS = "always", _("always")
    NEVER = "never", _("never, only show it")


class MetricsPolicy(TenantOwned):
    """A tenant's general choices about what is found in its series; one row per tenant."""

    precision_floor = models.FloatField(
        _("precision needed to alert"),
        default=0.7,
        validators=RATIO,
        help_text=_("A detector only shows what it finds until so large a part of it was useful."),
    )
    least_judged = models.PositiveSmallIntegerField(
        _("judgements needed to alert"), default=5, validators=[MinValueValidator(1), MaxValueValidator(1_000)]
    )
    sensitivity = models.FloatField(
        _("sensitivity"),
        default=0.5,
        validators=RATIO,
        help_text=_("0: only what has hardly ever been seen; 1: whatever stands out."),
    )
    holidays = models.CharField(
        _("holidays of"), max_length=8, blank=True, default="", help_text=_("Country by its two letters, such as AT.")
    )

    class Meta:
        db_table = "metrics_policy"
        default_permissions = ()
        verbose_name = _("detection setting")
        verbose_name_plural = _("detection settings")
        constraints = [models.UniqueConstraint("tenant", name="metrics_policy_one")]

    def __str__(self) -> str:
        return str(_("Detection settings"))


class Threshold(TenantOwned):
    """A condition on series, and what to do when it is met; an empty metric means every one."""

    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=12, choices=ThresholdKind.choices, default=ThresholdKind.STATIC)
    metric = models.CharField(_("metric"), max_length=256, blank=True, default="")
    matchers = models.JSONField(_("matchers"), default=list, blank=True)
    settings = models.JSONField(_("settings"), default=dict)
    hold = models.DurationField(
        _("for"), default=ZERO, help_text=_("So long it has to last before it counts, such as 5m.")
    )
    recover = models.DurationField(
        _("over after"), default=ZERO, help_text=_("So long it has to be back before it is over, such as 2m.")
    )
    severity = models.PositiveSmallIntegerField(_("severity"), choices=CHOICES, default=DEFAULT)
    paging = models.CharField(_("alert"), max_length=8, choices=Paging.choices, default=Paging.ALWAYS)
    labels = models.JSONField(_("further labels"), default=dict, blank=True)
    runbook_url = models.URLField(_("runbook"), max_length=500, blank=True, default="")
    is_active = models.BooleanField(_("active"), default=True)
    # By how much feedback has moved the sensitivity away from where people put it.
    adjustment = models.FloatField(default=0.0, db_default=0.0, editable=False)
    # What the past says about it (metrics/trust/evidence.py): {"useful": n, "noise": n, "at": when it was looked up}.
    evidence = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        db_table = "threshold"
        ordering = ["name"]
        default_permissions = ()
        verbose_name = _("threshold")
        verbose_name_plural = _("thresholds")
        constraints = [models.UniqueConstraint("tenant", "name", name="threshold_name")]

    def __str__(self) -> str:
        return self.name


class DetectorState(TenantOwned):
    """Where one subject of one threshold stands, and the model learned for it.

    A subject is a series, or the labels that several series share. A calm subject without a model has no row.
    `model` is versioned parameters in bytes, never a pickle; it holds what came until `model_until`.
    """

    threshold = TenantForeignKey(Threshold, models.CASCADE, related_name="+")
    subject = models.BinaryField(max_length=16)
    series = TenantForeignKey(Series, models.CASCADE, null=True, related_name="+")
    phase = models.PositiveSmallIntegerField(default=0, db_default=0)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    model = models.BinaryField(null=True)
    model_kind = models.CharField(max_length=16, blank=True, default="", db_default="")
    model_until = models.DateTimeField(null=True)
    fitted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "detector_state"
        default_permissions = ()
        constraints = [models.UniqueConstraint("tenant", "threshold", "subject", name="detector_state_subject")]
        indexes = [models.Index(fields=["tenant", "series"], name="detector_state_series")]


class Finding(TenantOwned):
    """One time something was found: what, why, and whether anybody was told."""

    threshold = TenantForeignKey(Threshold, models.CASCADE, related_name="findings", verbose_name=_("threshold"))
    series = TenantForeignKey(Series, models.CASCADE, null=True, related_name="+", verbose_name=_("series"))
    subject = models.BinaryField(max_length=16)
    kind = models.CharField(_("kind"), max_length=12, choices=ThresholdKind.choices)
    metric = models.CharField(_("metric"), max_length=256)
    labels = models.JSONField(_("labels"), default=dict)
    unit = models.CharField(max_length=32, blank=True, default="")
    severity = models.PositiveSmallIntegerField(_("severity"), choices=CHOICES)
    began_at = models.DateTimeField(_("began"))
    raised_at = models.DateTimeField(_("raised"))
    ended_at = models.DateTimeField(_("over"), null=True)
    ended_because = models.CharField(max_length=16, blank=True, default="", db_default="")
    value = models.FloatField(_("value"), null=True)
    expected = models.FloatField(_("expected"), null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    limit = models.FloatField(_("limit"), null=True)
    score = models.FloatField(_("score"), null=True)
    # How sure it is, damped by the quality of the data.
    confidence = models.FloatField(_("confidence"), default=1.0)
    quality = models.FloatField(_("quality of the data"), default=1.0)
    # The rest of why: strongest features, season, forecast, parts of a composite.
    why = models.JSONField(default=dict)
    causes = models.JSONField(default=list)
    is_told = models.BooleanField(_("alerted"), default=False)
    told_because = models.CharField(max_length=16, blank=True, default="", db_default="")
    told_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("found"), db_default=Now())

    class Meta:
        db_table = "finding"
        ordering = ["-raised_at", "-id"]
        default_permissions = ()
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "threshold", "subject"],
                condition=models.Q(ended_at=None),
                name="finding_open",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "-raised_at"], name="finding_latest"),
            models.Index(fields=["tenant", "threshold", "-raised_at"], name="finding_threshold"),
            models.Index(fields=["tenant", "series", "-raised_at"], name="finding_series"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.raised_at:%Y-%m-%d %H:%M}"


class Verdict(models.TextChoices):
    """What a person thought of a finding."""

    USEFUL = "useful", _("useful")
    NOISE = "noise", _("noise")


class Feedback(TenantOwned):
    """One person's verdict on one finding; a later one takes its place."""

    finding = TenantForeignKey(Finding, models.CASCADE, related_name="feedback")
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices)
    actor = models.CharField(_("by"), max_length=200)
    note = models.CharField(_("note"), max_length=500, blank=True, default="")
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        db_table = "finding_feedback"
        default_permissions = ()
        constraints = [models.UniqueConstraint("tenant", "finding", "actor", name="finding_feedback_one")]
