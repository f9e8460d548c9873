"""Kinds of things that settings list by dotted path, each with the structs of its settings and its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from channels.errors import UnknownKind


class Kind(Protocol):
    """What a form or a door must know of one kind, be it of a channel or of a source."""

    kind: ClassVar[str]
    label: ClassVar[str | Promise]
    Settings: ClassVar[type[Any]]
    Credentials: ClassVar[type[Any]]

    def settings_from(self, raw: Mapping[str, Any]) -> Any:
        """Return checked settings or raise `InvalidSettings` naming every field at fault."""

    def credentials_from(self, raw: Mapping[str, Any]) -> Any:
        """Return checked credentials or raise `InvalidSettings`, which never quotes a secret."""

    def place(self, settings: Any) -> str:
        """Return where the secrets are told to; empty where settings have no say in it."""


K = TypeVar("K", bound=Kind)


class KindRegistry(Generic[K]):
    """The kinds that one setting lists, made once and shared by all who ask."""

    def __init__(self, setting: str) -> None:
        self.setting = setting

    def get(self, kind: str) -> K:
        """Return the shared one of a kind or raise `UnknownKind`."""
        try:
            return self._all()[kind]
        except KeyError:
            raise UnknownKind(kind) from None

    def kinds(self) -> list[str]:
        """Return every known kind in the order of the setting."""
        return list(self._all())

    def choices(self) -> list[tuple[str, str | Promise]]:
        """Return kinds with their labels, for forms."""
        return [(kind, one.label) for kind, one in self._all().items()]

    def title(self, kind: str) -> str:
        """Return the label of a kind, or its name where it is not there any more."""
        found = self._all().get(kind)
        return kind if found is None else str(found.label)

    def _all(self) -> dict[str, K]:
        return _made(tuple(getattr(settings, self.setting)))


@cache
def _made(paths: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in paths:
        made = import_string(path)()
        if made.kind in found:
            raise ImproperlyConfigured(f"Two classes claim the kind {made.kind!r}; {path} is the second.")
        found[made.kind] = made
    return found
