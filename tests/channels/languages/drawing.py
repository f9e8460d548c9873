"""Draws a message as text that a person can read, for each kind of channel.

A new kind of channel shows its parts one after the other; give it a function here where that says too little.
"""

from collections.abc import Callable
from typing import Any

from channels import registry
from channels.adapters.slack_layout import build_blocks
from channels.message import Message
from channels.templating import render


def draw(kind: str, message: Message) -> str:
    """Return what the reader of this kind of channel sees."""
    rendered = render(kind, {}, message)
    assert rendered.degraded_reason == ""
    pieces = DRAWERS.get(kind, draw_parts)(kind, message, rendered)
    return "\n".join(line.rstrip() for line in pieces.strip().splitlines()) + "\n"


def draw_parts(kind: str, message: Message, rendered: Any) -> str:
    """Show every part but HTML, which says the same as the text."""
    types = registry.adapter(kind).parts
    shown = [(name, text) for name, text in rendered.parts.items() if types[name] != "html"]
    if len(shown) == 1:
        return shown[0][1]
    return "\n".join(f"--- {name}\n{text}" for name, text in shown)


def draw_slack(kind: str, message: Message, rendered: Any) -> str:
    """Show the blocks from top to bottom."""
    blocks = build_blocks(message, rendered.parts["title"], rendered.parts["text"], rendered.voice)
    return "\n".join(_block(block) for block in blocks)


def _block(block: dict[str, Any]) -> str:
    match block["type"]:
        case "header":
            return f"# {block['text']['text']}\n"
        case "actions":
            return " ".join(f"[ {button['text']['text']} ]" for button in block["elements"])
        case "context":
            return "~ " + " ".join(element["text"] for element in block["elements"])
    if "fields" in block:
        return "\n".join(f"| {field['text']}" for field in block["fields"])
    return f"{block['text']['text']}\n"


DRAWERS: dict[str, Callable[[str, Message, Any], str]] = {"slack": draw_slack}
