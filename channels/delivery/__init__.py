"""Deliveries: the queue, the engine that empties it, and what people do with what failed."""

from channels.delivery.deadletters import cancel, discard, replay
from channels.delivery.engine import deliver_all_due, deliver_due
from channels.delivery.leases import sweep_leases
from channels.delivery.queue import NewDelivery, enqueue, next_due_in, tenants_with_due
from channels.delivery.reconcile import reconcile_due
from channels.delivery.states import IllegalStep

__all__ = [
    "IllegalStep",
    "NewDelivery",
    "cancel",
    "deliver_all_due",
    "deliver_due",
    "discard",
    "enqueue",
    "next_due_in",
    "reconcile_due",
    "replay",
    "sweep_leases",
    "tenants_with_due",
]
