"""Which alert it is and what is known of it, told: the labels that identify it, and whether what comes is news."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting import severity
from alerting.explain.story import Detail, Step, StepKind, Verdict
from alerting.explain.words import Clock, listed, pairs, span
from alerting.flapping import Thresholds, Turn
from alerting.models import Alert
from alerting.pipeline.assess import Assessed
from alerting.pipeline.news import FIRING, News
from alerting.timeline import Why, why_title


def identity(fingerprint: bytes, labels: Mapping[str, str], ignored: frozenset[str], known: Alert | None) -> Step:
    """The step that says by which labels the alert is told from others, and whether it has been here before."""
    left_out = sorted(ignored.intersection(labels))
    counted = {name: value for name, value in labels.items() if name not in ignored}
    details = [
        Detail(
            verdict=Verdict.NOTED,
            code="counted",
            sentence=_("These labels identify it: %(labels)s.") % {"labels": pairs(counted)},
            data={"labels": counted, "fingerprint": fingerprint.hex()},
        )
    ]
    if left_out:
        sentence = _("These labels do not count, by the tenant's settings: %(labels)s.")
        details.append(
            Detail(
                verdict=Verdict.NOTED,
                code="ignored",
                sentence=sentence % {"labels": listed(left_out)},
                data={"labels": left_out},
            )
        )
    sentence = _("No alert with these labels has been here before.")
    if known is not None:
        sentence = _("This alert is known: an alert with the same labels has been here before.")
    return Step(
        kind=StepKind.IDENTITY,
        verdict=Verdict.PASSED,
        title=_("Which alert it is"),
        sentence=sentence,
        details=tuple(details),
    )


def past(known: Alert, clock: Clock) -> Detail:
    """What is known of the alert, in one sentence."""
    values = {
        "since": clock.at(known.starts_at),
        "seen": clock.until(known.last_seen_at),
        "times": ngettext("once", "%(count)d times", known.repeat_count) % {"count": known.repeat_count},
    }
    if known.status == FIRING:
        sentence = _("It has been firing since %(since)s and was received %(times)s, last %(seen)s.") % values
    else:
        values["over"] = clock.at(known.resolved_at or known.changed_at)
        values["why"] = str(why_title(known.resolved_because or Why.BY_SENDER))
        sentence = _("It is over since %(over)s (%(why)s); it was received %(times)s, last %(seen)s.") % values
    return Detail(
        verdict=Verdict.NOTED,
        code="known",
        subject="alert",
        id=known.pk,
        sentence=sentence,
        data={
            "status": known.status,
            "cycle": known.cycle,
            "repeat_count": known.repeat_count,
            "is_flapping": known.is_flapping,
        },
    )


def news(kind: News, assessed: Assessed, known: Alert | None, thresholds: Thresholds, clock: Clock) -> Step:
    """The step that says whether the item tells anything that was not known."""
    sentence = _NEWS[kind]()
    details: list[Detail] = []
    if known is not None:
        details.append(past(known, clock))
    if kind is News.OUTDATED and known is not None:
        sentence = _outdated(known, clock)
    if assessed.known is not None and assessed.known.severity != assessed.row.severity:
        details.append(_rerated(assessed))
    flapping = _flapping(assessed, thresholds)
    if flapping is not None:
        details.append(flapping)
    is_quiet = not assessed.is_news
    return Step(
        kind=StepKind.NEWS,
        verdict=Verdict.QUIET if is_quiet else Verdict.PASSED,
        title=_("Is it news?"),
        sentence=sentence,
        details=tuple(details),
    )


_NEWS = {
    News.FIRED: lambda: _("It is news: the alert fires for the first time."),
    News.FIRED_AGAIN: lambda: _("It is news: the alert was over and fires again."),
    News.RESOLVED: lambda: _("It is news: the alert is over now."),
    News.REPEATED: lambda: _(
        "It is no news: the same was said before. It is counted, and nobody is told because of it."
    ),
    News.OUTDATED: lambda: _("It is old news."),
}


def _outdated(known: Alert, clock: Clock) -> str:
    if known.status == FIRING:
        return _("It is old news: it speaks of an earlier firing than the one that began at %(since)s.") % {
            "since": clock.at(known.starts_at)
        }
    sentence = _(
        "It is old news: that firing ended at %(over)s (%(why)s). It fires again when its sender names a later start."
    )
    why = str(why_title(known.resolved_because or Why.BY_SENDER))
    return sentence % {"over": clock.at(known.resolved_at or known.changed_at), "why": why}


def _rerated(assessed: Assessed) -> Detail:
    before = assessed.known.severity if assessed.known else 0
    values = {
        "before": severity.LABELS.get(before, str(before)),
        "after": severity.LABELS.get(assessed.row.severity, str(assessed.row.severity)),
    }
    is_raised = assessed.row.severity > before
    sentence = (
        _("Its severity rises from %(before)s to %(after)s, which is news.")
        if is_raised
        else _("Its severity falls from %(before)s to %(after)s.")
    )
    verdict = Verdict.PASSED if is_raised else Verdict.NOTED
    return Detail(verdict=verdict, code="severity_changed", sentence=sentence % values, data=values)


def _flapping(assessed: Assessed, thresholds: Thresholds) -> Detail | None:
    values = {"count": len(assessed.row.changes), "window": span(thresholds.window), "enter": thresholds.enter}
    if assessed.turned is Turn.STARTED:
        sentence = _("With this it begins to flap: %(count)d changes within %(window)s. That is told once.")
    elif assessed.turned is Turn.STOPPED:
        sentence = _("With this it no longer flaps: %(count)d changes within %(window)s.")
    elif assessed.row.is_flapping:
        sentence = _(
            "It is flapping (%(count)d changes within %(window)s), so its ups and downs are not told one by one."
        )
    elif len(assessed.row.changes) > 1:
        sentence = _("It changed %(count)d times within %(window)s; at %(enter)d it would count as flapping.")
    else:
        return None
    verdict = Verdict.QUIET if assessed.row.is_flapping else Verdict.NOTED
    return Detail(verdict=verdict, code="flapping", sentence=sentence % values, data={"changes": values["count"]})
