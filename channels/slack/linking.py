"""The link by which a Slack user says who they are here: signed, short-lived, used while signed in."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.core import signing

SALT = "channels.slack.linking"
MAX_AGE_SECONDS = 900


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Which Slack user of which channel asks to be linked."""

    slug: str
    channel_id: str
    user_id: str
    user_name: str = ""


def link_url(claim: Claim) -> str:
    """Return the address where the person confirms, valid for a quarter of an hour."""
    token = signing.dumps(msgspec.to_builtins(claim), salt=SALT, compress=True)
    return f"{settings.PUBLIC_BASE_URL}/callbacks/slack/link?{urlencode({'token': token})}"


def read_claim(token: str) -> Claim | None:
    """Return the claim of a token, None when it is not ours or too old."""
    try:
        return msgspec.convert(signing.loads(token, salt=SALT, max_age=MAX_AGE_SECONDS), type=Claim)
    except (signing.BadSignature, msgspec.ValidationError):
        return None
