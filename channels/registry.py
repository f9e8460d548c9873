"""Which kinds of channel exist: the adapters that settings.CHANNEL_ADAPTERS lists."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from channels.adapters.base import Adapter
from channels.errors import UnknownKind


def adapter(kind: str) -> Adapter[Any, Any]:
    """Return the shared adapter of a kind or raise `UnknownKind`."""
    try:
        return _load(tuple(settings.CHANNEL_ADAPTERS))[kind]
    except KeyError:
        raise UnknownKind(kind) from None


def kinds() -> list[str]:
    """Return every known kind in the order of the setting."""
    return list(_load(tuple(settings.CHANNEL_ADAPTERS)))


def choices() -> list[tuple[str, str | Promise]]:
    """Return kinds with their labels, for forms."""
    return [(kind, adapter(kind).label) for kind in kinds()]


@cache
def _load(paths: tuple[str, ...]) -> dict[str, Adapter[Any, Any]]:
    found: dict[str, Adapter[Any, Any]] = {}
    for path in paths:
        made: Adapter[Any, Any] = import_string(path)()
        if made.kind in found:
            raise ImproperlyConfigured(f"Two channel adapters claim the kind {made.kind!r}.")
        found[made.kind] = made
    return found
