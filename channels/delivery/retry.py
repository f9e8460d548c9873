"""Decides what becomes of a delivery after a failed call: pure functions over plain data."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from channels.delivery.circuit import Signal
from channels.errors import ChannelError, ErrorReason
from channels.models import DeliveryAttempt, DeliveryState

Outcome = DeliveryAttempt.Outcome

BASE_SECONDS = 2.0
CAP_SECONDS = 600.0
SHORTEST_THROTTLE = 1.0
# Providers show a message in their history a moment after they took it.
BEFORE_LOOKUP = 3.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the delivery, how the attempt is told, what it says about the destination."""

    state: DeliveryState
    outcome: DeliveryAttempt.Outcome
    signal: Signal
    delay: float = 0.0
    reason: str = ""


def backoff(attempts: int, draw: float) -> float:
    """Return seconds to wait after `attempts` tries: full jitter, for `draw` in [0, 1)."""
    return draw * min(CAP_SECONDS, BASE_SECONDS * 2.0 ** min(max(attempts - 1, 0), 32))


def judge(error: ChannelError, *, attempts: int, seconds_left: float, idempotent: bool, draw: float) -> Verdict:
    """Return the verdict on a failed call; `seconds_left` is what remains of the delivery's horizon."""
    if error.ambiguous and not idempotent:
        reason = _("The provider may have taken it: %(detail)s") % {"detail": error}
        return Verdict(DeliveryState.UNCERTAIN, Outcome.AMBIGUOUS, Signal.FAILURE, BEFORE_LOOKUP + draw, reason)
    if error.permanent:
        reason = _("Refused for good: %(detail)s") % {"detail": error}
        return Verdict(DeliveryState.DEAD, Outcome.PERMANENT, Signal.REFUSED, reason=reason)
    if error.reason is ErrorReason.RATE_LIMITED:
        asked = error.retry_after
        delay = max(backoff(attempts, draw), SHORTEST_THROTTLE) if asked is None else asked
        return _again(error, Outcome.RATE_LIMITED, Signal.THROTTLED, delay, seconds_left)
    delay = max(backoff(attempts, draw), error.retry_after or 0.0)
    return _again(error, Outcome.RETRYABLE, Signal.FAILURE, delay, seconds_left)


def _again(
    error: ChannelError, outcome: DeliveryAttempt.Outcome, signal: Signal, delay: float, seconds_left: float
) -> Verdict:
    if delay < seconds_left:
        return Verdict(DeliveryState.PENDING, outcome, signal, delay, str(error))
    reason = _("Given up, the time for it is over: %(detail)s") % {"detail": error}
    return Verdict(DeliveryState.DEAD, outcome, signal, delay, reason)
