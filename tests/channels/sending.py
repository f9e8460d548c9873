"""Makes what an adapter is handed, from a sample message and the built-in templates."""

from typing import Any

import msgspec

from channels import registry
from channels.adapters.base import Outgoing, Receipt
from channels.message import Message
from channels.templating import render
from channels.templating.samples import sample_message

DELIVERY_ID = "0192c0de-aaaa-7000-8000-00000000cafe"


def outgoing(
    kind: str,
    settings: dict[str, Any],
    credentials: dict[str, Any],
    *,
    message: Message | None = None,
    sources: dict[str, str] | None = None,
    delivery_id: str = DELIVERY_ID,
) -> Outgoing[Any, Any]:
    """Return one message to the first recipient of a channel of that kind."""
    adapter = registry.adapter(kind)
    checked = adapter.settings_from(settings)
    message = message or sample_message()
    return Outgoing(
        delivery_id=delivery_id,
        message=message,
        rendered=render(kind, sources or {}, message),
        settings=checked,
        credentials=adapter.credentials_from(credentials),
        recipient=adapter.recipients(checked)[0],
    )


def send(kind: str, *args: Any, **kwargs: Any) -> Receipt:
    """Send it for real."""
    return registry.adapter(kind).deliver(outgoing(kind, *args, **kwargs))


def changed(**fields: Any) -> Message:
    """Return the sample message with other fields."""
    return msgspec.structs.replace(sample_message(), **fields)
