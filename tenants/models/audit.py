"""The audit log: who changed what, when, from where; written once, never changed."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.isolation import TenantRow


class AuditEntry(TenantRow):
    """One act on configuration or on an alert. Triggers refuse UPDATE, DELETE and TRUNCATE.

    It outlives what it speaks of, the tenant included: no constraint ties it.
    """

    at = models.DateTimeField(_("when"), db_default=Now(), editable=False)
    actor_kind = models.CharField(_("kind of actor"), max_length=16, editable=False)
    actor_id = models.CharField(max_length=64, editable=False)
    actor_label = models.CharField(_("who"), max_length=200, editable=False)
    action = models.CharField(_("action"), max_length=64, editable=False)
    object_type = models.CharField(_("kind of object"), max_length=64, blank=True, editable=False)
    object_id = models.CharField(max_length=64, blank=True, editable=False)
    object_label = models.CharField(_("object"), max_length=200, blank=True, editable=False)
    before = models.JSONField(_("before"), null=True, editable=False)
    after = models.JSONField(_("after"), null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=500, blank=True, editable=False)
    ip = models.GenericIPAddressField(_("from where"), null=True, editable=False)

    class Meta:
        db_table = "audit_entry"
        ordering = ["-at", "-id"]
        default_permissions = ()
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["tenant", "-at"], name="audit_entry_at"),
            models.Index(fields=["tenant", "object_type", "object_id"], name="audit_entry_object"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.action}"
