"""Deliveries and attempts in words."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from channels.message import Message
from channels.models import Delivery, DeliveryAttempt, DeliveryState
from tenants.admin.display import chip

STATE_TONES = {
    DeliveryState.PENDING: "blue",
    DeliveryState.LEASED: "blue",
    DeliveryState.UNCERTAIN: "orange",
    DeliveryState.DELIVERED: "green",
    DeliveryState.DEAD: "red",
    DeliveryState.CANCELLED: "grey",
    DeliveryState.EXPIRED: "orange",
}
Outcome = DeliveryAttempt.Outcome
GOOD, BAD = {Outcome.OK, Outcome.FOUND}, {Outcome.PERMANENT, Outcome.CRASHED}


def state_chip(delivery: Delivery) -> Any:
    """Return the state of a delivery as a coloured label."""
    return chip(delivery.get_state_display(), STATE_TONES.get(DeliveryState(delivery.state), "grey"))


def reason_title(reason: str) -> str:
    """Say why a message went out."""
    titles = {
        "first": _("First message"),
        "new_alerts": _("New alerts"),
        "resolved": _("Alerts resolved"),
        "all_resolved": _("All resolved"),
        "repeat": _("Still firing"),
        "severity_raised": _("Severity raised"),
        "flapping": _("Began to flap"),
        "stopped_flapping": _("Stopped flapping"),
        "escalation": _("Escalation"),
        "test": _("Test"),
        "causes": _("what moved with it is known"),
        "judged": _("somebody said what it was worth"),
    }
    return titles.get(reason, reason.replace("_", " "))


def read_message(delivery: Delivery) -> Message | None:
    """Return what was said; None when the snapshot cannot be read."""
    try:
        return Message.from_json(bytes(delivery.message))
    except msgspec.DecodeError:
        return None


def attempt_lines(deliveries: Iterable[Delivery]) -> dict[UUID, list[dict[str, Any]]]:
    """Return the attempts of deliveries as lines to show, in one statement."""
    lines: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    ids = [delivery.pk for delivery in deliveries]
    for attempt in DeliveryAttempt._default_manager.filter(delivery_id__in=ids).order_by("started_at", "lease_token"):
        outcome = Outcome(attempt.outcome)
        tone = "green" if outcome in GOOD else "red" if outcome in BAD else "orange"
        lines[attempt.delivery_id].append(
            {"attempt": attempt, "chip": chip(outcome.label, tone if attempt.ended_at else "blue")}
        )
    return lines
