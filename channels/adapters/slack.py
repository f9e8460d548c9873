"""Slack: one message about each group in a channel, changed as the group changes, with its story in the thread."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any, TypeVar

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.models.metadata import Metadata

from channels.adapters.base import (
    Account,
    Adapter,
    AdapterCredentials,
    AdapterSettings,
    Anchor,
    Outgoing,
    Receipt,
    fingerprint,
)
from channels.adapters.slack_cards import cards, digest, reply
from channels.adapters.slack_client import SlackClient
from channels.adapters.slack_errors import classify
from channels.adapters.slack_search import CHANNEL_ID, EVENT_TYPE, Search, receipt
from channels.errors import ChannelError
from channels.message import QUIET

CHANNEL_NAME = re.compile(r"#?[^\s#@<>&A-Z]{1,80}")
SIGNING_SECRET = re.compile(r"[A-Za-z0-9]{16,128}")
# The middle part is the workspace's number; other forms of tokens have none.
WORKSPACE = re.compile(r"xox[bp]-(\d{6,20})-")
# "Several hundred messages per minute per workspace", says Slack, beside one a second for each channel.
WORKSPACE_PER_MINUTE = 300
CLOCK_SKEW = timedelta(minutes=2)
# Refused for what it looks like, not for what it says: a simpler one may pass.
UNFIT = {"invalid_attachments", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"}
T = TypeVar("T")
FAILURES = (SlackClientError, HTTPException, OSError)
# The message about the group is gone: the next one takes its place.
PARENT_GONE = {"message_not_found", "thread_not_found"}
# It is there, but Slack keeps it as it is; the thread still tells.
PARENT_FIXED = {"cant_update_message", "edit_window_closed", "update_failed"}


class SlackSettings(AdapterSettings, frozen=True, kw_only=True):
    """`channel` is an id such as C0123456789 or a name such as #alerts."""

    channel: str

    def problems(self) -> dict[str, str]:
        """Check the form of the channel; whether it exists only Slack can say."""
        if CHANNEL_ID.fullmatch(self.channel) or CHANNEL_NAME.fullmatch(self.channel):
            return {}
        return {"channel": _("Give a channel id such as C0123456789 or a name such as #alerts.")}


class SlackCredentials(AdapterCredentials, frozen=True, kw_only=True):
    """`token` is a bot token of the workspace; with `signing_secret`, the app's, messages have buttons."""

    token: str
    signing_secret: str = ""

    def problems(self) -> dict[str, str]:
        """Check the form of both."""
        wrong = {}
        if not (self.token.isascii() and self.token.startswith("xox") and self.token.isprintable()):
            wrong["token"] = _("A Slack bot token begins with xoxb-.")
        if self.signing_secret and not SIGNING_SECRET.fullmatch(self.signing_secret):
            wrong["signing_secret"] = _(
                "A signing secret is 16 to 128 letters and digits, from the app's page at Slack."
            )
        return wrong


SlackOutgoing = Outgoing[SlackSettings, SlackCredentials]


class SlackAdapter(Adapter[SlackSettings, SlackCredentials]):
    """chat.postMessage has no idempotency, so each message carries its delivery id as metadata."""

    kind = "slack"
    label = gettext_lazy("Slack")
    Settings = SlackSettings
    Credentials = SlackCredentials
    parts = {"title": "line", "text": "mrkdwn", "blocks": "blocks"}
    can_find = True
    wants_status = True
    threads = True
    can_digest = True
    admission = "channels.threads.admission.admit"
    drawing = "channels.slack.previewing.draw"
    has_accounts = True
    default_rate_per_minute = 50

    def recipients(self, settings: SlackSettings) -> list[str]:
        """Return the one channel."""
        return [settings.channel]

    def account(self, settings: SlackSettings, credentials: SlackCredentials) -> Account:
        """Return the workspace."""
        number = WORKSPACE.match(credentials.token)
        key = number[1] if number else fingerprint(credentials.token)
        return Account(key=key, detail=key, per_minute=WORKSPACE_PER_MINUTE)

    def send(self, outgoing: SlackOutgoing) -> Receipt:
        """Bring the group's message up to date and add to its thread; post it when there is none yet."""
        client = self._client(outgoing.credentials)
        try:
            if outgoing.digest:
                return self._post(client, outgoing, digest(outgoing))
            if outgoing.anchor is not None and self._update(client, outgoing, outgoing.anchor):
                if outgoing.message.reason in QUIET:
                    return receipt(outgoing, outgoing.anchor.reference["channel"], outgoing.anchor.reference["ts"])
                return self._answer(client, outgoing, outgoing.anchor)
            if outgoing.message.reason in QUIET:
                # Nobody is told anew: what is learned stands in the next message.
                return Receipt(provider_id="", detail={"degraded": _("There was no message to bring up to date.")})
            return self._post_card(client, outgoing)
        except FAILURES as error:
            raise classify(error) from error

    def find(self, outgoing: SlackOutgoing, since: datetime) -> Receipt | None:
        """Look through the thread and the channel's history for the metadata of this delivery."""
        search = Search(self._client(outgoing.credentials), outgoing, since - CLOCK_SKEW)
        try:
            return search.run()
        except FAILURES as error:
            raise classify(error) from error

    def _client(self, credentials: SlackCredentials) -> SlackClient:
        return SlackClient(credentials.token, self.send_timeout)

    def _update(self, client: SlackClient, outgoing: SlackOutgoing, anchor: Anchor) -> bool:
        """Show the newest state in the group's message; False when that message is gone."""
        if outgoing.message.created_at < anchor.told_at:
            # Something newer was told meanwhile: only the thread hears of the older.
            return True
        try:
            self._first_that_fits(outgoing, lambda shown: self._change(client, anchor, shown))
        except SlackApiError as error:
            code = _code(error)
            if code in PARENT_GONE:
                return False
            if code not in PARENT_FIXED:
                raise _repeatable(error) from error
        except FAILURES as error:
            raise _repeatable(error) from error
        return True

    def _change(self, client: SlackClient, anchor: Anchor, shown: dict[str, Any]) -> None:
        client.chat_update(
            channel=anchor.reference["channel"], ts=anchor.reference["ts"], link_names=False, parse="none", **shown
        )

    def _first_that_fits(self, outgoing: SlackOutgoing, show: Callable[[dict[str, Any]], T]) -> tuple[T, str]:
        """Show as much of the message as Slack takes; what it refuses for its form it surely has not shown."""
        refused: SlackApiError | None = None
        for shown in cards(outgoing, with_buttons=bool(outgoing.credentials.signing_secret)):
            try:
                return show(shown), _code(refused) if refused else ""
            except SlackApiError as error:
                if _code(error) not in UNFIT:
                    raise
                refused = error
        raise refused or ValueError("no card")

    def _answer(self, client: SlackClient, outgoing: SlackOutgoing, anchor: Anchor) -> Receipt:
        """Add to the thread; the channel itself hears of it only when it has become worse."""
        message = outgoing.message
        rises = message.status == "firing" and message.severity > anchor.severity
        channel, thread = anchor.reference["channel"], anchor.reference["ts"]
        extra = {"channel": channel, "thread_ts": thread, "reply_broadcast": rises}
        return self._post(client, outgoing, {**reply(outgoing), **extra}, thread)

    def _post_card(self, client: SlackClient, outgoing: SlackOutgoing) -> Receipt:
        posted, refused = self._first_that_fits(outgoing, lambda shown: self._post(client, outgoing, shown))
        if not refused:
            return posted
        words = _("Slack refused the form of the message (%(code)s), so it went out simpler.") % {"code": refused}
        return msgspec.structs.replace(posted, detail={**posted.detail, "degraded": words})

    def _post(self, client: SlackClient, outgoing: SlackOutgoing, shown: dict[str, Any], thread: str = "") -> Receipt:
        ids = {"delivery_id": outgoing.delivery_id}
        if outgoing.channel_id:
            # For whoever handles the app's calls at Slack's side: which channel of which tenant this is about.
            ids |= {"tenant": outgoing.message.tenant_slug, "channel_id": outgoing.channel_id}
        if outgoing.digest:
            ids["told"] = " ".join(message.delivery_id for message in outgoing.digest)
        answer = client.chat_postMessage(
            **{"channel": outgoing.recipient, **shown},
            metadata=Metadata(event_type=EVENT_TYPE, event_payload=ids),
            link_names=False,
            parse="none",
            unfurl_links=False,
            unfurl_media=False,
        )
        return receipt(outgoing, str(answer["channel"]), str(answer["ts"]), thread)


def _code(error: SlackApiError) -> str:
    return str(error.response.get("error")) if isinstance(error.response.data, dict) else ""


def _repeatable(error: Exception) -> ChannelError:
    """Classify a failed update: showing the same state twice harms nobody, so there is no doubt to clear up."""
    failed = classify(error)
    failed.ambiguous = False
    return failed
