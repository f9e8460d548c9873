"""Which kinds of source exist: the collectors that settings.METRIC_SOURCES lists."""

from typing import Any, Final

from channels.kinds import KindRegistry
from metrics.collectors.base import Collector

COLLECTORS: Final[KindRegistry[Collector[Any, Any]]] = KindRegistry("METRIC_SOURCES")

collector = COLLECTORS.get
kinds = COLLECTORS.kinds
choices = COLLECTORS.choices
