"""Celery's door to this app: each task opens nothing, decides nothing, and calls one function."""

import socket
from uuid import UUID

from celery import shared_task

from alerting import duties, health, paused_addresses, retention
from alerting.auditor import audit_all
from alerting.oncall.importing import import_all
from alerting.oncall.watching import watch_all
from alerting.scoring import learning
from alerting.stale import resolve_all_stale


@shared_task
def drain_intake(tenant_id: str) -> None:
    """Drain one tenant's intake."""
    duties.drain_intake(UUID(tenant_id))


@shared_task
def flush_groups(tenant_id: str) -> None:
    """Tell about one tenant's due groups."""
    duties.flush_groups(UUID(tenant_id))


@shared_task
def escalate(tenant_id: str) -> None:
    """Take one tenant's steps of escalations that are due, and see to its hand-overs."""
    duties.escalate(UUID(tenant_id))


@shared_task
def do_slack_acts(tenant_id: str) -> None:
    """Do what one tenant's people pressed in Slack while others had the turn."""
    duties.do_slack_acts(UUID(tenant_id))


@shared_task
def deliver(tenant_id: str) -> None:
    """Send one tenant's due deliveries."""
    duties.deliver(UUID(tenant_id))


@shared_task
def canary(queue: str) -> None:
    """Prove that a worker takes work from a queue: only then does it count as healthy."""
    health.beat(f"worker:{queue}", socket.gethostname())


@shared_task
def audit() -> None:
    """Run the auditor's queries for every tenant."""
    audit_all()


@shared_task
def resolve_stale() -> None:
    """Resolve alerts whose senders fell silent."""
    resolve_all_stale()


@shared_task
def import_calendars() -> None:
    """Read the calendars that schedules take overrides from."""
    import_all()


@shared_task
def watch_on_call() -> None:
    """Look ahead for times at which nobody is on call or can be reached."""
    watch_all()


@shared_task
def repeat_paused() -> None:
    """Say once more which addresses get nothing."""
    paused_addresses.repeat_all()


@shared_task
def sweep() -> None:
    """Do the relay's round once, in case no relay lives."""
    duties.announce_waiting()


@shared_task
def learn() -> None:
    """Have what scoring knows refitted, one tenant a task."""
    for tenant_id in learning.tenants():
        learn_tenant.delay(str(tenant_id))


# Below the broker's visibility time-out: a task that takes longer is handed out a second time.
@shared_task(time_limit=110, soft_time_limit=100)
def learn_tenant(tenant_id: str) -> None:
    """Refit what scoring knows of one tenant's past."""
    learning.learn(UUID(tenant_id))


@shared_task
def clean_up() -> None:
    """Remove what is past its retention."""
    retention.clean_up()
