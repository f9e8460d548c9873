"""Deliveries: one message to one recipient, its attempts, its place in the queue, its destination's health."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from channels.models.channel import Channel
from tenants.isolation import TenantForeignKey, TenantOwned, TenantRow, new_id


class DeliveryState(models.TextChoices):
    """Where a delivery stands; the last four are terminal (DESIGN.md, I2)."""

    PENDING = "pending", _("waiting")
    LEASED = "leased", _("being sent")
    UNCERTAIN = "uncertain", _("outcome unknown")
    DELIVERED = "delivered", _("delivered")
    DEAD = "dead", _("dead letter")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("expired")


OPEN_STATES = (DeliveryState.PENDING, DeliveryState.LEASED, DeliveryState.UNCERTAIN)


class Delivery(TenantRow):
    """The intent to tell one recipient one thing; `message` is the snapshot of what is said.

    `source_id` is what caused it (an alert group, a test); this floor does not know what that is.
    While a delivery is open a row of DeliveryQueue says when it is due.
    """

    channel = TenantForeignKey(Channel, models.CASCADE, related_name="deliveries", verbose_name=_("channel"))
    recipient = models.CharField(_("recipient"), max_length=320)
    source_id = models.UUIDField(_("source"), null=True)
    kind = models.CharField(_("kind"), max_length=24)
    reason = models.CharField(_("reason"), max_length=32)
    # BLAKE2b over what makes this telling unique: a repeated flush cannot make a second delivery.
    dedup_key = models.BinaryField(max_length=32)
    message = models.BinaryField()
    state = models.CharField(
        _("state"), max_length=12, choices=DeliveryState.choices, default=DeliveryState.PENDING, db_default="pending"
    )
    state_reason = models.CharField(_("why"), max_length=300, blank=True, default="", db_default="")
    degraded = models.CharField(_("simplified because"), max_length=300, blank=True, default="", db_default="")
    provider_id = models.CharField(_("provider's id"), max_length=200, blank=True, default="", db_default="")
    attempts = models.PositiveIntegerField(_("attempts"), default=0, db_default=0)
    ambiguous_resends = models.PositiveSmallIntegerField(default=0, db_default=0)
    replay_no = models.PositiveSmallIntegerField(default=0, db_default=0)
    priority = models.PositiveSmallIntegerField(default=50, db_default=50)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    expires_at = models.DateTimeField(_("given up at"))
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        db_table = "delivery"
        ordering = ["-created_at", "-id"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [models.UniqueConstraint("tenant", "dedup_key", name="delivery_dedup")]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="delivery_created"),
            models.Index(fields=["tenant", "source_id", "-created_at"], name="delivery_source"),
            models.Index(
                fields=["tenant", "state"], condition=models.Q(state__in=["dead", "uncertain"]), name="delivery_trouble"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient}"


class DeliveryQueue(models.Model):
    """Queue table: the open deliveries of all tenants, with when they are due and who holds them.

    Only ids, times and small numbers (no row-level security; DESIGN.md section 4). The row goes when the
    delivery ends. `state` is pending, leased or uncertain; `lease_token` fences a worker that lost its lease.
    """

    delivery_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    channel_id = models.UUIDField()
    state = models.CharField(max_length=12, db_default="pending", default="pending")
    priority = models.PositiveSmallIntegerField(db_default=50, default=50)
    next_attempt_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    lease_token = models.PositiveIntegerField(db_default=0, default=0)
    crashes = models.PositiveSmallIntegerField(db_default=0, default=0)

    class Meta:
        db_table = "delivery_queue"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="leased", lease_until__isnull=False)
                | (~models.Q(state="leased") & models.Q(lease_until__isnull=True)),
                name="delivery_queue_lease",
            )
        ]
        indexes = [
            models.Index(
                "tenant_id",
                "priority",
                "next_attempt_at",
                "delivery_id",
                condition=~models.Q(state="leased"),
                name="delivery_queue_due",
            ),
            models.Index("lease_until", condition=models.Q(state="leased"), name="delivery_queue_leased"),
        ]


class DeliveryAttempt(TenantRow):
    """One call to a provider, committed before the call is made (DESIGN.md, I3)."""

    class Outcome(models.TextChoices):
        STARTED = "started", _("started")
        OK = "ok", _("accepted by the provider")
        RETRYABLE = "retryable", _("failed, will be tried again")
        RATE_LIMITED = "rate_limited", _("asked to slow down")
        PERMANENT = "permanent", _("refused for good")
        AMBIGUOUS = "ambiguous", _("outcome unknown")
        CRASHED = "crashed", _("sender stopped in the middle")
        FOUND = "found", _("found at the provider")
        NOT_FOUND = "not_found", _("not found at the provider")
        LOOKUP_FAILED = "lookup_failed", _("the provider could not be asked")
        RELEASED = "released", _("given back unsent")

    delivery = TenantForeignKey(Delivery, models.CASCADE, related_name="attempt_log")
    lease_token = models.PositiveIntegerField()
    started_at = models.DateTimeField(_("started"), db_default=Now())
    ended_at = models.DateTimeField(_("ended"), null=True)
    outcome = models.CharField(
        _("outcome"), max_length=16, choices=Outcome.choices, default=Outcome.STARTED, db_default="started"
    )
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    provider_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    latency_ms = models.PositiveIntegerField(_("milliseconds"), null=True)
    error_class = models.CharField(_("error"), max_length=32, blank=True, default="", db_default="")
    error_excerpt = models.CharField(_("provider's answer"), max_length=500, blank=True, default="", db_default="")

    class Meta:
        db_table = "delivery_attempt"
        ordering = ["started_at"]
        default_permissions = ()
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [models.UniqueConstraint("tenant", "delivery", "lease_token", name="delivery_attempt_token")]


class DestinationHealth(TenantOwned):
    """The circuit breaker and the rate limit of one channel."""

    class Circuit(models.TextChoices):
        CLOSED = "closed", _("working")
        OPEN = "open", _("failing, paused")
        HALF_OPEN = "half_open", _("being probed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    channel = TenantForeignKey(Channel, models.CASCADE, related_name="health", verbose_name=_("channel"))
    circuit = models.CharField(
        _("circuit"), max_length=12, choices=Circuit.choices, default=Circuit.CLOSED, db_default="closed"
    )
    consecutive_failures = models.PositiveIntegerField(_("failures in a row"), default=0, db_default=0)
    # Outcomes of the last 20 sends, newest in the lowest bit: 1 is a failure.
    recent = models.PositiveIntegerField(default=0, db_default=0)
    recent_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    open_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    blocked_until = models.DateTimeField(_("paused until"), null=True)
    blocked_reason = models.CharField(_("why paused"), max_length=300, blank=True, default="", db_default="")
    # Token bucket of the channel's rate limit: tokens left when it was last touched.
    tokens = models.FloatField(default=0, db_default=0)
    tokens_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(_("changed"), db_default=Now())

    class Meta:
        db_table = "destination_health"
        default_permissions = ()
        constraints = [models.UniqueConstraint("tenant", "channel", name="destination_health_channel")]
