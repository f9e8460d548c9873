"""How the service itself is doing: heartbeats of its parts and the auditor's findings."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.isolation import TenantOwned


class Heartbeat(models.Model):
    """When a part last did work; for workers the canary task writes it, since an answer to a ping proves nothing."""

    component = models.CharField(max_length=32)
    instance = models.CharField(max_length=128)
    at = models.DateTimeField(db_default=Now())

    pk = models.CompositePrimaryKey("component", "instance")

    class Meta:
        db_table = "heartbeat"
        default_permissions = ()


class AuditFinding(TenantOwned):
    """The latest result of one of the auditor's queries for one tenant; every `count` must be 0."""

    check_name = models.CharField(_("check"), max_length=48)
    count = models.PositiveIntegerField(_("found"))
    examples = models.JSONField(_("examples"), default=list)
    checked_at = models.DateTimeField(_("checked"), db_default=Now())

    class Meta:
        db_table = "audit_finding"
        default_permissions = ()
        constraints = [models.UniqueConstraint("tenant", "check_name", name="audit_finding_check")]


class AuditTotal(models.Model):
    """The latest result of one of the auditor's queries over all tenants; a number, readable without a tenant."""

    check_name = models.CharField(max_length=48, primary_key=True)
    count = models.PositiveIntegerField()
    checked_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "audit_total"
        default_permissions = ()
