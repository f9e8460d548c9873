"""What every kind of metric source must answer, and what it is handed to collect with."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from django.utils.functional import Promise

from channels.adapters.base import AdapterCredentials, AdapterSettings, checked
from metrics.collectors.errors import CollectError, Trouble
from metrics.collectors.fetching import Fetcher

GAUGE, COUNTER = "gauge", "counter"
#: What one source may bring at once; more is cut off and told.
MAX_POINTS = 50_000
MAX_LABELS = 32
MAX_LABEL_VALUE = 200
METRIC_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:.]{0,199}")
LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class SourceSettings(AdapterSettings, frozen=True, kw_only=True):
    """What a source of one kind needs to know, without its secrets."""


class SourceCredentials(AdapterCredentials, frozen=True, kw_only=True):
    """The secrets of a source; never printed."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One value that was found. `at` is unix seconds; None means the moment of the look."""

    metric: str
    labels: dict[str, str]
    value: float
    at: float | None = None
    kind: str = GAUGE
    unit: str = ""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What a source remembers from look to look: the validators of its page, and how far it has read."""

    #: What was asked; with other settings the same page says something else.
    asked: str = ""
    etag: str = ""
    modified: str = ""
    #: Unix seconds up to which a source with a past of its own was read.
    until: float = 0.0
    #: What the page said when it had these validators; said again while it is unchanged.
    points: tuple[Point, ...] = ()


@dataclass
class Found:
    """What one look at a source brought. `notes` say in words what of it is not as it should be.

    `hints` say what may be meant so, or may be a slip of whoever wrote the settings: told to who tries a source.
    """

    points: list[Point] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    notes: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    is_unchanged: bool = False


S = TypeVar("S", bound=SourceSettings)
C = TypeVar("C", bound=SourceCredentials)
# A look at settings of one kind is a look at what those extend.
LookedAt = TypeVar("LookedAt", bound=SourceSettings, covariant=True)
LookedWith = TypeVar("LookedWith", bound=SourceCredentials, covariant=True)
NO_MEMORY = Memory()


@dataclass(frozen=True)
class Look(Generic[LookedAt, LookedWith]):
    """One look at a source: what to ask, with which secrets, at which moment of the database's clock."""

    settings: LookedAt
    credentials: LookedWith
    fetcher: Fetcher
    now: float
    interval: float
    timeout: float
    memory: Memory = NO_MEMORY


class Collector(ABC, Generic[S, C]):
    """One kind of source: stateless, shared by all looks of a process, free of our database.

    `collect` returns what it found or raises `CollectError`, nothing else (`look` sees to that).
    """

    kind: ClassVar[str]
    label: ClassVar[str | Promise]
    Settings: ClassVar[type[SourceSettings]]
    Credentials: ClassVar[type[SourceCredentials]]

    def settings_from(self, raw: Mapping[str, Any]) -> S:
        """Return checked settings or raise `InvalidSettings` naming every field at fault."""
        return checked(raw, self.Settings)  # type: ignore[return-value]

    def credentials_from(self, raw: Mapping[str, Any]) -> C:
        """Return checked credentials or raise `InvalidSettings`, which never quotes a secret."""
        return checked(raw, self.Credentials)  # type: ignore[return-value]

    @abstractmethod
    def place(self, settings: S) -> str:
        """Return scheme, host and port that the secrets are told to; other settings may change freely."""

    @abstractmethod
    async def collect(self, look: Look[S, C]) -> Found:
        """Ask the source for its values."""

    async def look(self, look: Look[S, C]) -> Found:
        """Collect, turning any unforeseen error into a `CollectError`: one source never stops the others."""
        try:
            return await self.collect(look)
        except (CollectError, TimeoutError):
            raise
        except Exception as error:
            raise CollectError(Trouble.UNFORESEEN, type(error).__name__) from error
