"""What comes in: accepted requests, the queue of those that wait, and the quarantine."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.isolation import TenantRow


class IntakeRequest(TenantRow):
    """One accepted HTTP request: all its valid alerts in one row until drained, its receipt afterwards.

    `body` is what `alerting.decoding` encodes; draining sets it to NULL. With an idempotency key the
    row also remembers what was answered, for as long as retention keeps it (48 hours).
    """

    source = models.CharField(_("format"), max_length=32)
    api_key_id = models.UUIDField(null=True)
    idempotency_key = models.CharField(_("idempotency key"), max_length=255, null=True)
    body_sha256 = models.BinaryField(max_length=32)
    body = models.BinaryField(null=True)
    accepted = models.PositiveIntegerField(_("accepted"))
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    # The problem items answered, so that a replayed request gets the same answer.
    errors = models.JSONField(null=True)
    trace_id = models.CharField(_("trace"), max_length=32)
    received_at = models.DateTimeField(_("received"), db_default=Now())
    drained_at = models.DateTimeField(_("processed"), null=True)

    class Meta:
        db_table = "intake_request"
        default_permissions = ()
        verbose_name = _("intake request")
        verbose_name_plural = _("intake requests")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="intake_request_idempotency",
            )
        ]
        indexes = [models.Index(fields=["tenant", "received_at"], name="intake_request_received")]


class IntakeQueue(models.Model):
    """Queue table: which intake requests wait, of all tenants; ids, times and counts only."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    received_at = models.DateTimeField(db_default=Now())
    alert_count = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "intake_queue"
        default_permissions = ()
        indexes = [models.Index("tenant_id", "received_at", "id", name="intake_queue_waiting")]


class QuarantinedAlert(TenantRow):
    """An item that could not be taken, with the reason; its tenant can fix and replay it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for a fix")
        REPLAYED = "replayed", _("fixed and replayed")
        DISCARDED = "discarded", _("discarded")

    intake_id = models.UUIDField(null=True)
    source = models.CharField(_("format"), max_length=32)
    item_index = models.PositiveIntegerField(_("position in its request"))
    # At most 64 KiB of the item as it came; bytes, because it may not even be text.
    raw = models.BinaryField()
    errors = models.JSONField(_("errors"))
    state = models.CharField(
        _("state"), max_length=12, choices=State.choices, default=State.WAITING, db_default="waiting"
    )
    received_at = models.DateTimeField(_("received"), db_default=Now())
    settled_at = models.DateTimeField(_("settled"), null=True)
    settled_by = models.CharField(_("settled by"), max_length=200, blank=True, default="", db_default="")

    class Meta:
        db_table = "quarantined_alert"
        ordering = ["-received_at", "-id"]
        default_permissions = ()
        verbose_name = _("quarantined alert")
        verbose_name_plural = _("quarantine")
        indexes = [models.Index(fields=["tenant", "state", "-received_at"], name="quarantined_alert_state")]

    def __str__(self) -> str:
        return f"{self.source}, {self.item_index}"
