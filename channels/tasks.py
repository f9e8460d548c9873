"""Celery's doors to the delivery engine: wake-ups that carry a tenant's id or nothing."""

from uuid import UUID

from celery import shared_task

from channels import delivery

# Well below the hard limit of a task, so that a busy tenant leaves the worker to others in between.
SECONDS_A_WAKE_UP = 10.0


@shared_task
def deliver(tenant_id: str) -> None:
    """Send what is due for one tenant."""
    delivery.deliver_all_due(UUID(tenant_id), for_seconds=SECONDS_A_WAKE_UP)


@shared_task
def reconcile() -> None:
    """Clear up uncertain deliveries."""
    delivery.reconcile_due()


@shared_task
def sweep() -> None:
    """Take back the deliveries of senders that died."""
    delivery.sweep_leases()
