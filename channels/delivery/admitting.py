"""Asks kinds of channels whose messages cost something each which of the chosen deliveries may go now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from django.utils.module_loading import import_string

from channels import registry
from channels.delivery.choosing import Candidate
from channels.errors import UnknownKind
from channels.models import Channel


class Admission(Protocol):
    """Settles in the running claim what must wait, is told within another message, or cannot be told."""

    def __call__(self, chosen: list[UUID], channels: Mapping[UUID, Channel]) -> set[UUID]:
        """Return which of the chosen deliveries go now; the others were put off or ended, each with its reason."""


def admit(chosen: list[Candidate], channels: Mapping[UUID, Channel]) -> list[Candidate]:
    """Return what may go, in order; costs nothing where no kind of channel asks."""
    asked: dict[str, list[UUID]] = defaultdict(list)
    for one in chosen:
        if path := _admission(channels[one.channel_id].kind):
            asked[path].append(one.delivery_id)
    if not asked:
        return chosen
    held: set[UUID] = set()
    for path, ids in asked.items():
        ask: Admission = import_string(path)
        held |= set(ids) - ask(ids, channels)
    return [one for one in chosen if one.delivery_id not in held]


def _admission(kind: str) -> str:
    try:
        return registry.adapter(kind).admission
    except UnknownKind:
        return ""
