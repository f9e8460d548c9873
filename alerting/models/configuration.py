"""What a tenant configures about its alerts; any change raises the tenant's configuration revision (trigger)."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alerting.models.alert import SeverityLevel
from channels.models import Channel
from tenants.isolation import TenantForeignKey, TenantOwned
from tenants.models.tenant import validate_time_zone


def default_group_by() -> list[str]:
    """Return the labels alerts are grouped by when a rule names none."""
    return ["alertname"]


class Scoring(models.TextChoices):
    OFF = "off", _("off")
    ANNOTATE = "annotate", _("say so beside the alert")
    APPLY = "apply", _("change severities, once it has earned it")


class AlertingPolicy(TenantOwned):
    """A tenant's general choices; one row per tenant."""

    stale_after = models.DurationField(
        _("resolve when silent for"),
        default=timedelta(minutes=15),
        db_default=timedelta(minutes=15),
        help_text=_("An alert that its sender neither repeats nor resolves for this long counts as over."),
    )
    ignored_labels = ArrayField(
        models.CharField(max_length=128), verbose_name=_("labels that do not identify"), default=list, blank=True
    )
    flap_window = models.DurationField(_("flapping: within"), default=timedelta(minutes=30))
    flap_enter = models.PositiveSmallIntegerField(
        _("flapping: starts at so many changes"), default=6, validators=[MinValueValidator(3), MaxValueValidator(20)]
    )
    flap_leave = models.PositiveSmallIntegerField(
        _("flapping: ends at so many changes"), default=2, validators=[MaxValueValidator(18)]
    )
    scoring = models.CharField(
        _("scoring"),
        max_length=10,
        choices=Scoring.choices,
        default=Scoring.ANNOTATE,
        db_default="annotate",
        help_text=_("Whether alerts are judged by how unusual they are and by what people did with alerts like them."),
    )
    severity_floor = models.PositiveSmallIntegerField(
        _("never lower below"),
        choices=SeverityLevel.choices,
        default=SeverityLevel.WARNING,
        db_default=20,
        help_text=_("Scoring raises severities as it likes and lowers none to below this one."),
    )
    trust_floor = models.FloatField(
        _("change severities from this precision on"),
        default=0.8,
        db_default=0.8,
        validators=[MinValueValidator(0.5), MaxValueValidator(1.0)],
        help_text=_("Until as large a share of the alerts it calls urgent was acted on, scoring only annotates."),
    )

    class Meta:
        db_table = "alerting_policy"
        verbose_name = _("general setting")
        verbose_name_plural = _("general settings")
        constraints = [models.UniqueConstraint("tenant", name="alerting_policy_one")]

    def __str__(self) -> str:
        return str(_("General settings"))


class ConfigurationRevision(TenantOwned):
    """Counts a tenant's configuration changes; compiled routes and rules are cached by it, so none is ever stale."""

    revision = models.PositiveBigIntegerField(default=0, db_default=0)
    # The inhibition rules by which Alert.is_inhibitor was last set; other rules set it anew.
    inhibitors = models.BinaryField(max_length=16, null=True)

    class Meta:
        db_table = "configuration_revision"
        default_permissions = ()
        constraints = [models.UniqueConstraint("tenant", name="configuration_revision_one")]


class Route(TenantOwned):
    """A node of the route tree. Empty timers are inherited from the parent; the root matches everything."""

    parent = TenantForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="children", verbose_name=_("below")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    name = models.CharField(_("name"), max_length=80)
    matchers = models.JSONField(_("matchers"), default=list, blank=True)
    continues = models.BooleanField(_("go on to the next route"), default=False)
    group_wait = models.DurationField(_("wait before the first message"), null=True, blank=True)
    group_interval = models.DurationField(_("wait before telling changes"), null=True, blank=True)
    repeat_interval = models.DurationField(_("repeat after"), null=True, blank=True)
    channels = models.ManyToManyField(Channel, through="RouteChannel", related_name="+", verbose_name=_("channels"))
    policy = TenantForeignKey(
        "alerting.EscalationPolicy",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="routes",
        verbose_name=_("escalation policy"),
        help_text=_("Empty: that of the route above."),
    )

    class Meta:
        db_table = "route"
        ordering = ["position", "id"]
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        constraints = [
            models.UniqueConstraint(fields=["tenant"], condition=models.Q(parent=None), name="route_one_root")
        ]

    def __str__(self) -> str:
        return self.name


class RouteChannel(TenantOwned):
    """That a route tells a channel."""

    route = TenantForeignKey(Route, models.CASCADE, related_name="route_channels")
    channel = TenantForeignKey(Channel, models.CASCADE, related_name="+", verbose_name=_("channel"))

    class Meta:
        db_table = "route_channel"
        default_permissions = ()
        verbose_name = _("channel of a route")
        verbose_name_plural = _("channels of a route")
        constraints = [models.UniqueConstraint("tenant", "route", "channel", name="route_channel_once")]

    def __str__(self) -> str:
        return str(self.channel)


class GroupingRule(TenantOwned):
    """Which alerts belong together: the first rule that matches names the labels; `...` stands for all of them."""

    position = models.PositiveIntegerField(_("position"), default=0)
    name = models.CharField(_("name"), max_length=80)
    matchers = models.JSONField(_("matchers"), default=list, blank=True)
    group_by = ArrayField(models.CharField(max_length=128), verbose_name=_("group by"), default=default_group_by)

    class Meta:
        db_table = "grouping_rule"
        ordering = ["position", "id"]
        verbose_name = _("grouping rule")
        verbose_name_plural = _("grouping rules")

    def __str__(self) -> str:
        return self.name


class EnrichmentStep(TenantOwned):
    """One change made to alerts as they come in; `kind` is checked against settings.ENRICHMENT_STEPS."""

    position = models.PositiveIntegerField(_("position"), default=0)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=32)
    matchers = models.JSONField(_("matchers"), default=list, blank=True)
    settings = models.JSONField(_("settings"), default=dict)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        db_table = "enrichment_step"
        ordering = ["position", "id"]
        verbose_name = _("enrichment step")
        verbose_name_plural = _("enrichment steps")

    def __str__(self) -> str:
        return self.name


class Silence(TenantOwned):
    """Mutes matching alerts for a time; pending, active or expired follows from its times and is not stored."""

    matchers = models.JSONField(_("matchers"))
    starts_at = models.DateTimeField(_("from"), db_default=Now())
    ends_at = models.DateTimeField(_("until"))
    author = models.CharField(_("author"), max_length=200, editable=False)
    comment = models.CharField(_("comment"), max_length=500)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        db_table = "silence"
        ordering = ["-ends_at"]
        verbose_name = _("silence")
        verbose_name_plural = _("silences")
        indexes = [models.Index(fields=["tenant", "ends_at"], name="silence_ends")]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="silence_order")
        ]

    def __str__(self) -> str:
        return self.comment


class InhibitionRule(TenantOwned):
    """While a source alert fires, target alerts with the same values of `equal` are not told."""

    name = models.CharField(_("name"), max_length=80)
    source_matchers = models.JSONField(_("while this fires"))
    target_matchers = models.JSONField(_("do not tell"))
    equal = ArrayField(models.CharField(max_length=128), verbose_name=_("with equal"), default=list, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        db_table = "inhibition_rule"
        ordering = ["name"]
        verbose_name = _("inhibition rule")
        verbose_name_plural = _("inhibition rules")

    def __str__(self) -> str:
        return self.name


class MaintenanceWindow(TenantOwned):
    """A planned time in which matching alerts are muted; it recurs by an RRULE (RFC 5545) on its zone's wall clock."""

    name = models.CharField(_("name"), max_length=80)
    matchers = models.JSONField(_("matchers"), default=list)
    start_date = models.DateField(_("first day"))
    start_time = models.TimeField(_("from"))
    duration = models.DurationField(
        _("for"), validators=[MinValueValidator(timedelta(minutes=1)), MaxValueValidator(timedelta(days=14))]
    )
    rrule = models.CharField(_("repeats"), max_length=500, blank=True, help_text=_("Empty: once."))
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, validators=[validate_time_zone], help_text=_("Empty: the tenant's.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        db_table = "maintenance_window"
        ordering = ["name"]
        verbose_name = _("maintenance window")
        verbose_name_plural = _("maintenance windows")

    def __str__(self) -> str:
        return self.name
