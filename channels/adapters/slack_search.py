"""Finds what was sent: looks through a thread and a channel's history for the metadata of a delivery."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from slack_sdk.errors import SlackApiError

from channels.adapters.base import Anchor, Outgoing, Receipt
from channels.adapters.slack_client import SlackClient
from channels.errors import ChannelError, ErrorReason

CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{2,20}")
EVENT_TYPE = "alert_delivery"
MAX_PAGES = 10
THREAD_GONE = {"thread_not_found", "message_not_found"}


class Search:
    """One search for one delivery, which was made after `since`."""

    def __init__(self, client: SlackClient, outgoing: Outgoing[Any, Any], since: datetime) -> None:
        self._client = client
        self._outgoing = outgoing
        self._oldest = f"{since.timestamp():.6f}"

    def run(self) -> Receipt | None:
        """Return the receipt of what was found, None when it surely did not arrive."""
        anchor = self._outgoing.anchor
        if anchor is not None and (found := self._in_thread(anchor)):
            return found
        channel = self._channel_id()
        # A message whose thread is gone was posted anew, and a digest has no thread.
        return self._first_ours(channel, self._history(channel))

    def _in_thread(self, anchor: Anchor) -> Receipt | None:
        channel, thread = anchor.reference["channel"], anchor.reference["ts"]
        try:
            return self._first_ours(channel, self._replies(channel, thread))
        except SlackApiError as error:
            if error.response.get("error") in THREAD_GONE:
                return None
            raise

    def _first_ours(self, channel: str, pages: Iterator[dict[str, Any]]) -> Receipt | None:
        for posted in pages:
            metadata = posted.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            told = [payload.get("delivery_id"), *str(payload.get("told", "")).split()]
            if metadata.get("event_type") == EVENT_TYPE and self._outgoing.delivery_id in told:
                thread = str(posted.get("thread_ts") or "")
                ts = str(posted["ts"])
                is_digest = "told" in payload
                return receipt(self._outgoing, channel, ts, "" if thread == ts else thread, is_digest=is_digest)
        return None

    def _history(self, channel: str) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        for _page in range(MAX_PAGES):
            answer = self._client.conversations_history(
                channel=channel, oldest=self._oldest, limit=200, include_all_metadata=True, cursor=cursor
            )
            yield from answer["messages"] or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
        raise ChannelError(ErrorReason.UNKNOWN, _("The channel has too many messages to search."))

    def _replies(self, channel: str, thread: str) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        for _page in range(MAX_PAGES):
            answer = self._client.conversations_replies(
                channel=channel, ts=thread, oldest=self._oldest, limit=200, include_all_metadata=True, cursor=cursor
            )
            yield from answer["messages"] or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
        raise ChannelError(ErrorReason.UNKNOWN, _("The thread has too many messages to search."))

    def _channel_id(self) -> str:
        recipient = self._outgoing.recipient
        if CHANNEL_ID.fullmatch(recipient):
            return recipient
        cursor: str | None = None
        for _page in range(MAX_PAGES):
            answer = self._client.conversations_list(limit=1000, types="public_channel,private_channel", cursor=cursor)
            for channel in answer["channels"] or []:
                if channel.get("name") == recipient.removeprefix("#"):
                    return str(channel["id"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        raise ChannelError(ErrorReason.INVALID_RECIPIENT, _("Slack knows no such channel."))


def receipt(
    outgoing: Outgoing[Any, Any], channel: str, ts: str, thread: str = "", *, is_digest: bool = False
) -> Receipt:
    """Return the proof of a message, with where the story of its group goes on; a digest is no such place."""
    message = outgoing.message
    anchor = None
    if message.group_id and not outgoing.digest and not is_digest:
        reference = {"channel": channel, "ts": thread or ts}
        anchor = Anchor(reference=reference, severity=message.severity, told_at=message.created_at)
    return Receipt(provider_id=f"{channel}:{ts}", detail={"channel": channel, "ts": ts}, anchor=anchor)
