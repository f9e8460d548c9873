"""The dialogs that Slack opens for us: a comment, and until when to silence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from slack_sdk.errors import SlackClientError

from channels.adapters.slack_client import SlackClient
from channels.adapters.slack_errors import classify

MAX_TEXT = 3000
# Slack drops the click after three seconds, so there is no use in waiting longer.
TIMEOUT = 2.0


def open_dialog(token: str, trigger_id: str, act: str, value: str, now: datetime) -> None:
    """Open the dialog of an act; raises `ChannelError`."""
    try:
        SlackClient(token, TIMEOUT).views_open(trigger_id=trigger_id, view=dialog(act, value, now))
    except (SlackClientError, OSError) as error:
        raise classify(error) from error


def dialog(act: str, value: str, now: datetime) -> dict[str, Any]:
    """Return the dialog; its answer carries the signed value back."""
    element: dict[str, Any]
    if act == "silence_until":
        title, label = _("Silence"), _("Until when")
        soon = int(now.timestamp()) // 3600 * 3600 + 2 * 3600
        element = {"type": "datetimepicker", "action_id": "until", "initial_date_time": soon}
    else:
        title, label = _("Comment"), _("Comment")
        element = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": MAX_TEXT}
    return {
        "type": "modal",
        "callback_id": act,
        "private_metadata": value,
        "title": _plain(title, 24),
        "submit": _plain(_("Save"), 24),
        "close": _plain(_("Cancel"), 24),
        "blocks": [{"type": "input", "block_id": "answer", "element": element, "label": _plain(label, 150)}],
    }


def text_of(inputs: dict[str, Any]) -> str:
    """Return the text that somebody wrote."""
    return str((inputs.get("answer") or {}).get("value") or "")[:MAX_TEXT]


def until_of(inputs: dict[str, Any]) -> datetime | None:
    """Return the time that somebody chose, None when there is none that can be read."""
    chosen = (inputs.get("answer") or {}).get("selected_date_time")
    if not isinstance(chosen, int) or not 0 < chosen < 2**32:
        return None
    return datetime.fromtimestamp(chosen, UTC)


def _plain(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:most]}
