"""What a delivery that failed for good means for its group: a line in the timeline, so that nobody wonders."""

from uuid import UUID

from alerting import timeline
from alerting.models import AlertGroup
from alerting.timeline import Event, Kind
from channels.models import Delivery


def note(tenant_id: UUID, delivery_ids: list[UUID], state: str) -> None:
    """Write it down for the groups concerned; called by the delivery engine inside the tenant's transaction."""
    failed = Delivery.objects.filter(pk__in=delivery_ids, source_id__isnull=False).select_related("channel")
    groups = set(AlertGroup.objects.filter(pk__in=[one.source_id for one in failed]).values_list("pk", flat=True))
    timeline.record(
        [
            Event(
                kind=Kind.NOT_DELIVERED,
                group_id=one.source_id,
                reason=state,
                data={
                    "channel": one.channel.name,
                    "channel_id": str(one.channel_id),
                    "recipient": one.recipient,
                    "delivery_id": str(one.pk),
                    "why": one.state_reason,
                },
            )
            for one in failed
            if one.source_id in groups
        ]
    )
