"""What became of messages, told: each delivery with its attempts."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting.explain.story import Detail, Verdict
from alerting.explain.words import Clock, listed, span
from alerting.timeline import why_title
from channels.models import Delivery, DeliveryAttempt, DeliveryState

_VERDICTS: Final = {
    DeliveryState.DELIVERED: Verdict.PASSED,
    DeliveryState.DEAD: Verdict.FAULT,
    DeliveryState.EXPIRED: Verdict.FAULT,
    DeliveryState.UNCERTAIN: Verdict.FAULT,
    DeliveryState.CANCELLED: Verdict.QUIET,
}
_GOOD: Final = (DeliveryAttempt.Outcome.OK, DeliveryAttempt.Outcome.FOUND)


def sentence(deliveries: Sequence[Delivery]) -> str:
    """How many messages there were and how they ended."""
    if not deliveries:
        return _("No message was made.")
    states = Counter(one.state for one in deliveries)
    counts = [f"{count} {DeliveryState(state).label}" for state, count in states.items()]
    text = ngettext("%(count)d message: %(states)s.", "%(count)d messages: %(states)s.", len(deliveries))
    return text % {"count": len(deliveries), "states": listed(counts)}


def delivery(one: Delivery, clock: Clock) -> Detail:
    """One message to one recipient, with what each attempt to send it came to."""
    values = {
        "at": clock.exact(one.created_at),
        "channel": one.channel.name,
        "recipient": one.recipient,
        "why": why_title(one.reason),
        "state": DeliveryState(one.state).label,
    }
    text = _("%(at)s – %(channel)s to %(recipient)s (%(why)s): %(state)s") % values
    if one.finished_at and one.state == DeliveryState.DELIVERED:
        text = _("%(text)s after %(span)s") % {"text": text, "span": span(one.finished_at - one.created_at)}
    if one.state_reason:
        text = f"{text}. {one.state_reason}"
    attempts = list(one.attempt_log.all())
    # That the first attempt went well is no story of its own.
    is_plain = one.state == DeliveryState.DELIVERED and len(attempts) == 1 and attempts[0].outcome in _GOOD
    details = [] if is_plain else [_attempt(attempt, number, clock) for number, attempt in enumerate(attempts, 1)]
    if one.degraded:
        why = _("It went out simplified: %(why)s") % {"why": one.degraded}
        details.append(Detail(verdict=Verdict.FAULT, code="degraded", sentence=why))
    return Detail(
        verdict=_VERDICTS.get(DeliveryState(one.state), Verdict.NOTED),
        code=one.state,
        subject="delivery",
        id=one.pk,
        name=one.channel.name,
        at=one.created_at,
        sentence=text,
        data={"recipient": one.recipient, "reason": one.reason, "attempts": one.attempts},
        details=tuple(details),
    )


def _attempt(one: DeliveryAttempt, number: int, clock: Clock) -> Detail:
    outcome = DeliveryAttempt.Outcome(one.outcome)
    values = {"number": number, "at": clock.exact(one.started_at), "outcome": outcome.label}
    text = _("Attempt %(number)d at %(at)s: %(outcome)s") % values
    if one.latency_ms is not None:
        text = _("%(text)s after %(span)s") % {"text": text, "span": _quick(one.latency_ms)}
    facts = [str(one.http_status)] if one.http_status else []
    facts += [part for part in (one.error_class, one.error_excerpt) if part]
    if facts:
        text = f"{text} ({', '.join(facts)})"
    calm = (DeliveryAttempt.Outcome.STARTED, DeliveryAttempt.Outcome.RELEASED)
    verdict = Verdict.PASSED if outcome in _GOOD else Verdict.NOTED if outcome in calm else Verdict.FAULT
    return Detail(verdict=verdict, code=one.outcome, at=one.started_at, sentence=text)


def _quick(milliseconds: int) -> str:
    if milliseconds < 1_000:
        return _("%(count)d ms") % {"count": milliseconds}
    return span(timedelta(milliseconds=milliseconds))
