"""Reads of channels and deliveries, each with what its reader needs in a fixed number of statements."""

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Prefetch, QuerySet

from channels.models import OPEN_STATES, Channel, Delivery, DeliveryAttempt, DestinationHealth


def list_channels() -> QuerySet[Channel]:
    """Channels with the health of their destinations."""
    return Channel._default_manager.prefetch_related(Prefetch("health", DestinationHealth._default_manager.all()))


def list_deliveries(conditions: dict[str, Any] | None = None) -> QuerySet[Delivery]:
    """Deliveries with their channels, without the messages they carry."""
    return Delivery._default_manager.select_related("channel").defer("message").filter(**(conditions or {}))


def deliveries_with_attempts() -> QuerySet[Delivery]:
    """Deliveries with their messages and every call to a provider."""
    attempts = Prefetch("attempt_log", DeliveryAttempt._default_manager.order_by("started_at", "id"))
    return Delivery._default_manager.select_related("channel").prefetch_related(attempts, "openings")


def has_open_deliveries(channel: Channel) -> bool:
    """Whether something still waits to be told there."""
    return Delivery._default_manager.filter(channel=channel, state__in=OPEN_STATES).exists()


def database_now() -> datetime:
    """The time of the database, which alone decides."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
