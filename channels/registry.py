"""Which kinds of channel exist: the adapters that settings.CHANNEL_ADAPTERS lists."""

from typing import Any, Final

from channels.adapters.base import Adapter
from channels.kinds import KindRegistry

ADAPTERS: Final[KindRegistry[Adapter[Any, Any]]] = KindRegistry("CHANNEL_ADAPTERS")

adapter = ADAPTERS.get
kinds = ADAPTERS.kinds
choices = ADAPTERS.choices
