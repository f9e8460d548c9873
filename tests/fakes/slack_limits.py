"""Slack's documented limits on a message, checked as Slack checks them."""

from __future__ import annotations

from typing import Any

MAX_TEXT = 40_000
MAX_BLOCKS = 50
TEXT_LIMITS = {"header": 150, "section": 3000}
MAX_FIELDS, MAX_FIELD = 10, 2000
MAX_CONTEXT, MAX_ACTIONS = 10, 25
MAX_BUTTON, MAX_URL = 75, 3000
MAX_VALUE, MAX_OPTIONS, MAX_OPTION_VALUE = 2000, 5, 75
MAX_ATTACHMENTS = 100


def find_fault(arguments: dict[str, Any]) -> str:
    """Return Slack's error for these arguments of chat.postMessage, or nothing."""
    text, blocks = str(arguments.get("text", "")), arguments.get("blocks") or []
    if not text and not blocks:
        return "no_text"
    if len(text) > MAX_TEXT:
        return "msg_too_long"
    if not isinstance(blocks, list) or len(blocks) > MAX_BLOCKS:
        return "invalid_blocks"
    if any(_block_is_bad(block) for block in blocks):
        return "invalid_blocks"
    attachments = arguments.get("attachments") or []
    if len(attachments) > MAX_ATTACHMENTS:
        return "too_many_attachments"
    if any(_block_is_bad(block) for attachment in attachments for block in attachment.get("blocks", [])):
        return "invalid_attachments"
    metadata = arguments.get("metadata")
    if metadata and not {"event_type", "event_payload"} <= set(metadata):
        return "invalid_metadata_format"
    return ""


def _block_is_bad(block: dict[str, Any]) -> bool:
    kind = block.get("type")
    if kind == "header":
        return block["text"]["type"] != "plain_text" or _text_is_bad(block["text"], 150)
    if kind == "section":
        return _section_is_bad(block)
    if kind == "context":
        items = block.get("elements", [])
        return not 1 <= len(items) <= MAX_CONTEXT or any(_text_is_bad(i, 2000) for i in items)
    if kind == "actions":
        items = block.get("elements", [])
        return not 1 <= len(items) <= MAX_ACTIONS or any(_button_is_bad(i) for i in items)
    if kind == "image":
        return _image_is_bad(block)
    return kind != "divider"


def _image_is_bad(block: dict[str, Any]) -> bool:
    url = str(block.get("image_url", ""))
    is_web = url.startswith(("http://", "https://")) and len(url) <= MAX_URL
    return not is_web or not 1 <= len(block.get("alt_text", "")) <= 2000


def _section_is_bad(block: dict[str, Any]) -> bool:
    fields = block.get("fields", [])
    if "text" not in block and not fields:
        return True
    if "text" in block and _text_is_bad(block["text"], TEXT_LIMITS["section"]):
        return True
    return len(fields) > MAX_FIELDS or any(_text_is_bad(field, MAX_FIELD) for field in fields)


def _text_is_bad(text: dict[str, Any], limit: int) -> bool:
    if text.get("type") not in {"plain_text", "mrkdwn"}:
        return True
    return not 1 <= len(text.get("text", "")) <= limit


def _button_is_bad(button: dict[str, Any]) -> bool:
    if button.get("type") == "overflow":
        return _menu_is_bad(button)
    if len(button.get("value", "x")) > MAX_VALUE:
        return True
    if button.get("type") != "button" or _text_is_bad(button["text"], MAX_BUTTON):
        return True
    url = button.get("url", "https://x")
    return len(url) > MAX_URL or not url.startswith(("http://", "https://"))


def _menu_is_bad(menu: dict[str, Any]) -> bool:
    options = menu.get("options", [])
    if not 1 <= len(options) <= MAX_OPTIONS or not menu.get("action_id"):
        return True
    return any(
        _text_is_bad(option["text"], MAX_BUTTON) or not 1 <= len(option.get("value", "")) <= MAX_OPTION_VALUE
        for option in options
    )
