"""Escalation: calls one person after the other while nobody acknowledges a group."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from alerting.escalation.foretelling import Step

__all__ = ["next_steps", "would_be_called"]


def next_steps(group_id: UUID) -> "list[Step]":
    """What a group's escalations do next, the soonest first; inside the tenant's context."""
    from alerting.escalation import foretelling  # it needs the flush's modules, which start escalations themselves

    return foretelling.next_steps(group_id)


def would_be_called(labels: Mapping[str, str], at: datetime) -> "list[Step]":
    """Whom an alert with these labels would call, were it told at `at` and never acknowledged."""
    from alerting.escalation import foretelling

    return foretelling.would_be_called(labels, at)
