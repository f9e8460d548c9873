"""Links in mails that act for one recipient: signed, for a time, and only when a person presses the button."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.core import signing

ACKNOWLEDGE: Final = "channels.mail.acknowledge"
JUDGE: Final = "channels.mail.judge"
UNSUBSCRIBE: Final = "channels.mail.unsubscribe"
CONSENT: Final = "channels.mail.consent"
OPENED: Final = "channels.mail.opened"
#: A mail found a week later still leads somewhere; after that its group is long over.
MAX_AGE_SECONDS: Final = 7 * 24 * 3600


class Claim(NamedTuple):
    """Who may do what: the recipient of a mail of one channel, about one group (or one delivery: `OPENED`)."""

    slug: str
    channel_id: str
    about: str
    recipient: str


def acknowledge_url(claim: Claim) -> str:
    """Return the address of the page with the button."""
    return f"{settings.PUBLIC_BASE_URL}/mail/acknowledge/{_sign(claim, ACKNOWLEDGE)}"


def judge_url(claim: Claim) -> str:
    """Return the address of the page where a reader says what a finding was worth."""
    return f"{settings.PUBLIC_BASE_URL}/mail/judge/{_sign(claim, JUDGE)}"


def unsubscribe_url(claim: Claim) -> str:
    """Return the address that mail programs offer for wanting no more."""
    return f"{settings.PUBLIC_BASE_URL}/mail/unsubscribe/{_sign(claim, UNSUBSCRIBE)}"


def consent_url(claim: Claim) -> str:
    """Return the address of the page where a reader lets us see when mails are opened, or takes that back."""
    return f"{settings.PUBLIC_BASE_URL}/mail/consent/{_sign(claim, CONSENT)}"


def opened_url(claim: Claim) -> str:
    """Return the address of the picture that tells that a mail is open."""
    return f"{settings.PUBLIC_BASE_URL}/mail/opened/{_sign(claim, OPENED)}"


def read_claim(token: str, purpose: str) -> Claim | None:
    """Return the claim of a token, None when it is not ours, too old or for something else."""
    max_age = MAX_AGE_SECONDS if purpose in {ACKNOWLEDGE, JUDGE} else None
    try:
        fields = signing.loads(token, salt=purpose, max_age=max_age)
    except signing.BadSignature:
        return None
    is_good = isinstance(fields, list) and len(fields) == len(Claim._fields)
    return Claim(*fields) if is_good and all(isinstance(field, str) for field in fields) else None


def _sign(claim: Claim, purpose: str) -> str:
    return quote(signing.dumps(list(claim), salt=purpose))
