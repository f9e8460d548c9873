"""What somebody pressed in Slack, kept until it is done."""

from django.db import models
from django.db.models.functions import Now

from channels.models import Channel
from tenants.isolation import TenantForeignKey, TenantRow


class SlackAct(TenantRow):
    """A verified press that waits to be done, or what became of it; its timer says that it waits."""

    channel = TenantForeignKey(Channel, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12)
    act = models.CharField(max_length=40)
    group_id = models.UUIDField()
    user_id = models.CharField(max_length=64)
    #: What a dialog was answered with, and where to tell the person; both are forgotten once it is done.
    inputs = models.JSONField(default=dict)
    response_url = models.CharField(max_length=500, blank=True, default="")
    received_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=32, blank=True, default="", db_default="")

    class Meta:
        db_table = "slack_act"
        default_permissions = ()
        indexes = [models.Index("tenant", "ended_at", name="slack_act_ended")]
