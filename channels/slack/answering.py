"""Answers a click where only the person who clicked sees it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from django.conf import settings

from channels import egress
from channels.egress.operator import request_operator
from channels.errors import ChannelError

log = structlog.get_logger(__name__)
SLACK_HOOKS = "https://hooks.slack.com"
SLACK_API = "https://slack.com/api/"
TIMEOUT = 2.0
HEADERS = {"Content-Type": "application/json; charset=utf-8"}


def ephemeral(text: str) -> dict[str, Any]:
    """Return words for one person, which change nothing for the others."""
    return {"response_type": "ephemeral", "replace_original": False, "text": text[:3000]}


def answer(response_url: str, text: str) -> bool:
    """Post words to the address that came with a click; False when they could not be told."""
    body = msgspec.json.encode(ephemeral(text))
    try:
        if response_url.startswith(f"{SLACK_HOOKS}/"):
            reply = egress.request("POST", response_url, body=body, headers=HEADERS, timeout=TIMEOUT)
        else:
            reply = request_operator(
                "POST", response_url, base_url=_own_base(), body=body, headers=HEADERS, timeout=TIMEOUT
            )
    except ChannelError as error:
        log.warning("slack_answer_failed", reason=error.reason.value)
        return False
    return reply.status < 400


def _own_base() -> str:
    """The inbox of a development machine answers for Slack; at Slack itself there is no other address."""
    configured = getattr(settings, "SLACK_API_BASE_URL", "") or SLACK_API
    if configured == SLACK_API:
        return SLACK_HOOKS
    parts = urlsplit(configured)
    return f"{parts.scheme}://{parts.netloc}"
