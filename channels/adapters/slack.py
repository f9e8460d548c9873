"""Slack: posts to a channel with a bot token."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from http.client import HTTPException

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from slack_sdk.errors import SlackClientError
from slack_sdk.models.metadata import Metadata

from channels.adapters.base import (
    Adapter,
    AdapterCredentials,
    AdapterSettings,
    Outgoing,
    Receipt,
)
from channels.adapters.slack_blocks import build_blocks, fallback_text
from channels.adapters.slack_client import SlackClient
from channels.adapters.slack_errors import classify
from channels.errors import ChannelError, ErrorReason

CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{2,20}")
CHANNEL_NAME = re.compile(r"#?[^\s#@<>&A-Z]{1,80}")
EVENT_TYPE = "alert_delivery"
CLOCK_SKEW = timedelta(minutes=2)
MAX_PAGES = 10
FAILURES = (SlackClientError, HTTPException, OSError)


class SlackSettings(AdapterSettings, frozen=True, kw_only=True):
    """`channel` is an id such as C0123456789 or a name such as #alerts."""

    channel: str

    def problems(self) -> dict[str, str]:
        """Check the form of the channel; whether it exists only Slack can say."""
        if CHANNEL_ID.fullmatch(self.channel) or CHANNEL_NAME.fullmatch(self.channel):
            return {}
        return {"channel": _("Give a channel id such as C0123456789 or a name such as #alerts.")}


class SlackCredentials(AdapterCredentials, frozen=True, kw_only=True):
    """`token` is a bot token of the workspace."""

    token: str

    def problems(self) -> dict[str, str]:
        """Check the form of the token."""
        if self.token.isascii() and self.token.startswith("xox") and self.token.isprintable():
            return {}
        return {"token": _("A Slack bot token begins with xoxb-.")}


SlackOutgoing = Outgoing[SlackSettings, SlackCredentials]


class SlackAdapter(Adapter[SlackSettings, SlackCredentials]):
    """chat.postMessage has no idempotency, so each message carries its delivery id as metadata."""

    kind = "slack"
    label = gettext_lazy("Slack")
    Settings = SlackSettings
    Credentials = SlackCredentials
    parts = {"title": "line", "text": "mrkdwn"}
    can_find = True
    default_rate_per_minute = 50

    def workspace(self, settings: SlackSettings, credentials: SlackCredentials) -> str:
        """Name the workspace: the second of a token's four parts, which is no secret."""
        pieces = credentials.token.split("-")
        return pieces[1] if len(pieces) >= 4 else ""

    def recipients(self, settings: SlackSettings) -> list[str]:
        """Return the one channel."""
        return [settings.channel]

    def send(self, outgoing: SlackOutgoing) -> Receipt:
        """Post the message once."""
        title, text = outgoing.part("title"), outgoing.part("text")
        try:
            answer = self._client(outgoing.credentials).chat_postMessage(
                channel=outgoing.recipient,
                text=fallback_text(title, text),
                blocks=build_blocks(outgoing.message, title, text, outgoing.rendered.voice),
                metadata=Metadata(event_type=EVENT_TYPE, event_payload={"delivery_id": outgoing.delivery_id}),
                link_names=False,
                parse="none",
                unfurl_links=False,
                unfurl_media=False,
            )
        except FAILURES as error:
            raise classify(error) from error
        return _receipt(str(answer["channel"]), str(answer["ts"]))

    def find(self, outgoing: SlackOutgoing, since: datetime) -> Receipt | None:
        """Look through the channel's history for the metadata of this delivery."""
        client = self._client(outgoing.credentials)
        try:
            channel = self._channel_id(client, outgoing.recipient)
            return self._search(client, channel, outgoing.delivery_id, since - CLOCK_SKEW)
        except FAILURES as error:
            raise classify(error) from error

    def check(self, settings: SlackSettings, credentials: SlackCredentials) -> None:
        """Ask Slack whether it takes the token."""
        try:
            self._client(credentials).auth_test()
        except FAILURES as error:
            raise classify(error) from error

    def _client(self, credentials: SlackCredentials) -> SlackClient:
        return SlackClient(credentials.token, self.send_timeout)

    def _search(self, client: SlackClient, channel: str, delivery_id: str, since: datetime) -> Receipt | None:
        cursor: str | None = None
        for _page in range(MAX_PAGES):
            answer = client.conversations_history(
                channel=channel,
                oldest=f"{since.timestamp():.6f}",
                limit=200,
                include_all_metadata=True,
                cursor=cursor,
            )
            for posted in answer["messages"] or []:
                metadata = posted.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                found = payload.get("delivery_id") == delivery_id
                if metadata.get("event_type") == EVENT_TYPE and found:
                    return _receipt(channel, str(posted["ts"]))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        raise ChannelError(ErrorReason.UNKNOWN, _("The channel has too many messages to search."))

    def _channel_id(self, client: SlackClient, recipient: str) -> str:
        if CHANNEL_ID.fullmatch(recipient):
            return recipient
        cursor: str | None = None
        for _page in range(MAX_PAGES):
            answer = client.conversations_list(limit=1000, types="public_channel,private_channel", cursor=cursor)
            for channel in answer["channels"] or []:
                if channel.get("name") == recipient.removeprefix("#"):
                    return str(channel["id"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        raise ChannelError(ErrorReason.INVALID_RECIPIENT, _("Slack knows no such channel."))


def _receipt(channel: str, ts: str) -> Receipt:
    return Receipt(provider_id=f"{channel}:{ts}", detail={"channel": channel, "ts": ts})
