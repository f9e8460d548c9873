"""Deliveries: the queue, the engine that empties it, and what people do with what failed."""

from channels.delivery.deadletters import dismiss, replay
from channels.delivery.engine import deliver_due
from channels.delivery.queue import NewDelivery, enqueue
from channels.delivery.states import IllegalStep

__all__ = ["IllegalStep", "NewDelivery", "deliver_due", "dismiss", "enqueue", "replay"]
