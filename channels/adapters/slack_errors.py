"""What Slack's errors mean for the next try."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPException
from socket import gaierror
from ssl import SSLCertVerificationError
from typing import Any
from urllib.error import URLError

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from slack_sdk.errors import SlackApiError, SlackClientError

from channels.errors import ChannelError, ErrorReason
from channels.retry_after import read_retry_after

AUTH = {
    "access_denied",
    "account_inactive",
    "invalid_auth",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "token_expired",
    "token_revoked",
}
RECIPIENT = {
    "channel_is_limited_access",
    "channel_not_found",
    "is_archived",
    "not_in_channel",
    "restricted_action",
}
TOO_LARGE = {"metadata_too_large", "msg_blocks_too_long", "msg_too_long", "too_many_attachments"}
# What a person can do about it.
WORDS = {
    "is_archived": gettext_lazy("The channel is archived: choose another one, or bring it back at Slack."),
    "not_in_channel": gettext_lazy("The app is not in the channel: write /invite @app there."),
    "channel_not_found": gettext_lazy("There is no such channel, or it is private and the app is not in it."),
    "missing_scope": gettext_lazy("The token lacks a scope: add it at the app's page and install the app anew."),
    "invalid_auth": gettext_lazy("Slack does not take the token: copy it anew from the app's page."),
    "token_revoked": gettext_lazy("The token was revoked: install the app anew and copy the new one."),
    "account_inactive": gettext_lazy("The token's user or workspace is gone: install the app anew."),
}
# The workspace as a whole, not one channel of it.
WORKSPACE_LIMITED = {"message_limit_exceeded"}
RATE_LIMITED = {"rate_limited", "ratelimited"} | WORKSPACE_LIMITED
# Slack says of the last two that part of the work may have been done.
TRANSIENT = {"accesslimited", "request_timeout", "service_unavailable", "team_added_to_org"}
UNSURE = {"fatal_error", "internal_error"}
SURELY_UNSENT = (gaierror, ConnectionRefusedError, SSLCertVerificationError)
# A limit without a time to wait: what Slack documents as usual.
DEFAULT_WAIT_SECONDS = 30.0


def classify(error: Exception) -> ChannelError:
    """Turn what the client raised into what the delivery engine understands."""
    if isinstance(error, SlackApiError):
        response = error.response
        return _by_answer(response.status_code, response.headers, response.data)
    if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
        return ChannelError(ErrorReason.TIMEOUT, _("Slack did not answer in time."), ambiguous=True)
    if isinstance(error, URLError | OSError | HTTPException):
        cause = error.reason if isinstance(error, URLError) else error
        return ChannelError(
            ErrorReason.NETWORK,
            _("The connection to Slack failed."),
            ambiguous=not isinstance(cause, SURELY_UNSENT),
        )
    if isinstance(error, SlackClientError):
        return ChannelError(ErrorReason.CLIENT_ERROR, type(error).__name__, permanent=True)
    raise error


def _by_answer(status: int, headers: Mapping[str, str], data: Any) -> ChannelError:
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or code in RATE_LIMITED:
        wait = read_retry_after(headers)
        return ChannelError(
            ErrorReason.RATE_LIMITED,
            _("Slack asks to slow down."),
            retry_after=DEFAULT_WAIT_SECONDS if wait is None else wait,
            status=status,
            is_shared=code in WORKSPACE_LIMITED,
        )
    if status >= 500 or status == 408:
        return ChannelError(ErrorReason.SERVER_ERROR, f"HTTP {status}", ambiguous=True, status=status)
    if status != 200:
        reason = ErrorReason.AUTH if status in {401, 403} else ErrorReason.CLIENT_ERROR
        return ChannelError(reason, f"HTTP {status}", permanent=True, status=status)
    return _by_code(code)


def _by_code(code: str) -> ChannelError:
    if code in TRANSIENT or code in UNSURE:
        return ChannelError(ErrorReason.SERVER_ERROR, code, ambiguous=code in UNSURE, status=200)
    # The SDK puts its own sentence here when the answer was no JSON.
    if not code.replace("_", "").isalnum() or " " in code:
        detail = _("Slack's answer cannot be read.")
        return ChannelError(ErrorReason.SERVER_ERROR, detail, ambiguous=True, status=200)
    kinds = {
        ErrorReason.AUTH: AUTH,
        ErrorReason.INVALID_RECIPIENT: RECIPIENT,
        ErrorReason.TOO_LARGE: TOO_LARGE,
    }
    reason = next((kind for kind, codes in kinds.items() if code in codes), ErrorReason.CLIENT_ERROR)
    words = WORDS.get(code)
    detail = f"{words} ({code})" if words else code[:100]
    return ChannelError(reason, detail, permanent=True, status=200)
