"""Which kinds of source exist: the collectors that settings.METRIC_SOURCES lists."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from metrics.collectors.base import Collector


class UnknownSource(LookupError):
    """No collector of that name is listed in settings.METRIC_SOURCES."""


def collector(kind: str) -> Collector[Any, Any]:
    """Return the shared collector of a kind or raise `UnknownSource`."""
    try:
        return _load(tuple(settings.METRIC_SOURCES))[kind]
    except KeyError:
        raise UnknownSource(kind) from None


def kinds() -> list[str]:
    """Return every known kind in the order of the setting."""
    return list(_load(tuple(settings.METRIC_SOURCES)))


def choices() -> list[tuple[str, str | Promise]]:
    """Return kinds with their labels, for forms."""
    return [(kind, collector(kind).label) for kind in kinds()]


@cache
def _load(paths: tuple[str, ...]) -> dict[str, Collector[Any, Any]]:
    found: dict[str, Collector[Any, Any]] = {}
    for path in paths:
        made: Collector[Any, Any] = import_string(path)()
        if made.kind in found:
            raise ImproperlyConfigured(f"Two metric collectors claim the kind {made.kind!r}.")
        found[made.kind] = made
    return found
