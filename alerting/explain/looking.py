"""When the group is looked at, told: group_wait, group_interval, repeat_interval and what they come to here."""

from django.utils.translation import gettext as _

from alerting.explain.prospect import Prospect, running_timers
from alerting.explain.routes import waits
from alerting.explain.story import Detail, Step, StepKind, Verdict
from alerting.explain.words import Clock, listed
from alerting.pipeline.assess import timers_of
from alerting.routing import Timers


def timers(prospect: Prospect, clock: Clock) -> Step:
    """The step of timers."""
    spans = timers_of(prospect.configuration, prospect.labels)
    details = [Detail(verdict=Verdict.NOTED, code="timers", sentence=waits(spans))]
    if prospect.group is not None and prospect.group.flushed_at is not None:
        sentence = _("The last look at the group was at %(at)s.") % {"at": clock.at(prospect.group.flushed_at)}
        details.append(Detail(verdict=Verdict.NOTED, code="flushed", at=prospect.group.flushed_at, sentence=sentence))
    details += _no_waiting(prospect, spans)
    details += _running(prospect, clock) + _after(prospect, clock) + _freed(prospect)
    return Step(
        kind=StepKind.TIMERS,
        verdict=Verdict.QUIET if prospect.look_at is None else Verdict.PASSED,
        title=_("When"),
        sentence=_sentence(prospect, clock),
        details=tuple(details),
    )


def _sentence(prospect: Prospect, clock: Clock) -> str:
    if prospect.look_at is None:
        return _("Nothing makes us look at a group because of this, so nobody is told anything.")
    if prospect.look_at <= prospect.moment.now:
        return _("The group is looked at and decided on at once.")
    sentence = _("The group is looked at and decided on at %(at)s (%(until)s).")
    return sentence % {"at": clock.at(prospect.look_at), "until": clock.until(prospect.look_at)}


def _no_waiting(prospect: Prospect, spans: Timers) -> list[Detail]:
    """A new group does not wait for companions of an alert that has been firing longer than that."""
    is_new = prospect.group is None or prospect.group.flushed_at is None
    if not is_new or not prospect.assessed.is_news or not spans.group_wait or prospect.look_at is None:
        return []
    if prospect.look_at >= prospect.moment.now + spans.group_wait or prospect.group is not None:
        return []
    sentence = _("It began so long ago that companions would have come by now, so nothing is waited for.")
    return [Detail(verdict=Verdict.NOTED, code="no_wait", sentence=sentence)]


def _running(prospect: Prospect, clock: Clock) -> list[Detail]:
    if prospect.group is None:
        return []
    times = running_timers(prospect.moment.tenant_id, prospect.group.pk)
    if not times:
        return []
    due_at = min(times)
    sentence = _("A timer of the group runs already; it rings at %(at)s.")
    if due_at <= clock.now:
        sentence = _("A timer of the group has rung at %(at)s; the look is about to come.")
    return [Detail(verdict=Verdict.NOTED, code="timer", at=due_at, sentence=sentence % {"at": clock.at(due_at)})]


def _freed(prospect: Prospect) -> list[Detail]:
    """Other groups that an end of inhibition concerns."""
    if not prospect.freed:
        return []
    sentence = _("With it ends what may have kept these groups quiet, so they are looked at again at once: %(groups)s.")
    names = listed(f"“{one.title}”" for one in prospect.freed)
    data = {"groups": [str(one.pk) for one in prospect.freed]}
    return [Detail(verdict=Verdict.CHANGED, code="frees", sentence=sentence % {"groups": names}, data=data)]


def _after(prospect: Prospect, clock: Clock) -> list[Detail]:
    """What comes after that look, if nothing else happens."""
    if prospect.verdict is None or prospect.look_at is None:
        return []
    if prospect.verdict.closes:
        return [Detail(verdict=Verdict.NOTED, code="closes", sentence=_("Then the group is over and is closed."))]
    if prospect.verdict.due_at is None:
        return [Detail(verdict=Verdict.NOTED, code="rests", sentence=_("After that it rests until something changes."))]
    due_at = prospect.verdict.due_at
    names = prospect.afterwards and list(dict.fromkeys(one.destination.name for one in prospect.afterwards.tellings))
    values = {"at": clock.at(due_at), "names": listed(names or ())}
    if names:
        sentence = _("If nothing changes after that, it is looked at again at %(at)s; then %(names)s would be told.")
    else:
        sentence = _("If nothing changes after that, it is looked at again at %(at)s.")
    data = {"names": names or []}
    return [Detail(verdict=Verdict.NOTED, code="again", at=due_at, sentence=sentence % values, data=data)]
