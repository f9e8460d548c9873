"""Decides what becomes of a delivery whose outcome is unknown: pure functions over plain data."""

from dataclasses import dataclass
from enum import Enum

from django.utils.translation import gettext as _

from channels.models import DeliveryAttempt, DeliveryState, Semantics

# So often it is sent again without knowing; what the provider surely has not is no duplicate, and sent as often as
# it is worth telling.
MAX_RESENDS = 1
# So often the provider is asked before it is sent again unasked; after that, until it answers.
MAX_LOOKUPS = 5
RESEND_BASE_SECONDS = 2.0
RESEND_CAP_SECONDS = 300.0
LOOKUP_BASE_SECONDS = 5.0
LOOKUP_CAP_SECONDS = 120.0


class Evidence(Enum):
    """What is known about an uncertain send."""

    ACCEPTED = "accepted"  # a sender that lost its lease has told so meanwhile
    FOUND = "found"
    NOT_FOUND = "not_found"
    NOT_ASKED = "not_asked"  # the provider cannot be asked, or no longer need be
    TRY_LATER = "try_later"


# How each piece of evidence is told in the attempt log.
OUTCOMES = {
    Evidence.ACCEPTED: DeliveryAttempt.Outcome.FOUND,
    Evidence.FOUND: DeliveryAttempt.Outcome.FOUND,
    Evidence.NOT_FOUND: DeliveryAttempt.Outcome.NOT_FOUND,
    Evidence.NOT_ASKED: DeliveryAttempt.Outcome.LOOKUP_FAILED,
    Evidence.TRY_LATER: DeliveryAttempt.Outcome.LOOKUP_FAILED,
}


@dataclass(frozen=True, slots=True)
class Fate:
    """The next state; `is_resend` counts against the resends a delivery has."""

    state: DeliveryState
    reason: str
    delay: float = 0.0
    is_resend: bool = False


def settle(
    evidence: Evidence, *, idempotent: bool, semantics: str, resends: int, lookups: int, is_late: bool, draw: float
) -> Fate:
    """Return what becomes of the delivery: sent once more in doubt, and again where the provider surely has nothing."""
    if evidence in {Evidence.ACCEPTED, Evidence.FOUND}:
        return Fate(DeliveryState.DELIVERED, _("The provider has it."))
    if evidence is Evidence.TRY_LATER:
        return Fate(DeliveryState.UNCERTAIN, _("The provider could not be asked yet."), lookup_delay(lookups, draw))
    if is_late:
        return Fate(DeliveryState.DEAD, _("Unknown outcome, and the time for it is over."))
    if idempotent:
        return Fate(DeliveryState.PENDING, _("Sent again: the receiver drops repeats."), is_resend=True)
    if semantics == Semantics.AT_MOST_ONCE:
        return Fate(DeliveryState.DEAD, _("Unknown outcome, and this channel must never send twice."))
    if evidence is Evidence.NOT_FOUND:
        reason = _("Sent again: the provider does not have it.")
        return Fate(DeliveryState.PENDING, reason, _resend_delay(resends), is_resend=True)
    if resends >= MAX_RESENDS:
        return Fate(DeliveryState.DEAD, _("Unknown outcome, and it was sent again once already."))
    return Fate(DeliveryState.PENDING, _("Sent again once: the outcome is unknown."), is_resend=True)


def lookup_delay(lookups: int, draw: float) -> float:
    """Return seconds until the provider is asked again: half fixed, half jitter."""
    most = min(LOOKUP_BASE_SECONDS * 2.0 ** min(lookups, 16), LOOKUP_CAP_SECONDS)
    return most * (0.5 + draw / 2)


def is_worth_asking(*, lookups: int, resends: int, is_late: bool) -> bool:
    """Say whether a provider that could not be asked is asked once more.

    While a resend is left it is used after some tries; without one, giving up would lose the message.
    """
    return not is_late and (lookups < MAX_LOOKUPS or resends >= MAX_RESENDS)


def _resend_delay(resends: int) -> float:
    return min(RESEND_BASE_SECONDS * (2.0 ** min(resends, 16) - 1), RESEND_CAP_SECONDS)
