"""The story of an alert that has not come in: every decision in order, and who would be told."""

import msgspec
from django.utils.translation import gettext as _

from alerting.decoding import ItemError, NativeAlert, title_of
from alerting.exclusive import Moment
from alerting.explain import (
    calling,
    door,
    enriching,
    grouping,
    identity,
    looking,
    muting,
    rendering,
    routes,
    scoring,
    telling,
)
from alerting.explain.prospect import Prospect, foresee
from alerting.explain.story import Destination, Detail, Explanation, Step, StepKind, Subject, Verdict
from alerting.explain.words import Clock, listed
from alerting.muting import Muted, MuteKind
from alerting.pipeline.assess import labels_of
from alerting.pipeline.news import FIRING, News


def foretell(body: bytes, moment: Moment) -> Explanation:
    """Explain what would become of the alert in this body, were it sent at `moment.now`."""
    clock = Clock(moment.now, moment.time_zone)
    alert, errors = door.receive(body, moment.now)
    if alert is None:
        return _refused(errors, moment)
    prospect = foresee(alert, moment)
    destinations = telling.destinations(prospect, clock)
    rendered = rendering.messages(prospect)
    called = calling.escalation(prospect, clock)
    steps = [
        _configuration(prospect),
        door.passage(body, alert, clock),
        identity.identity(prospect.fingerprint, alert.labels, prospect.configuration.ignored_labels, prospect.stored),
        identity.news(prospect.news, prospect.assessed, prospect.stored, prospect.configuration.thresholds, clock),
        _enrichment(prospect),
        scoring.scoring(prospect.assessed.row.scores),
        *_mutes(prospect, clock),
        *_group(prospect, clock),
        routes.route(prospect.configuration, prospect.labels),
        looking.timers(prospect, clock),
        telling.people(destinations, prospect),
        called,
        rendering.step(rendered),
    ]
    told = [one for one in destinations if one.is_told]
    return Explanation(
        subject=Subject(kind="imagined", title=_title(alert), id=None, labels=prospect.labels),
        at=moment.now,
        time_zone=moment.time_zone,
        is_prediction=True,
        verdict=Verdict.PASSED if told or (called and called.verdict is Verdict.PASSED) else Verdict.QUIET,
        summary=" ".join([_summary(prospect, destinations, clock), *([called.sentence] if called else [])]),
        steps=tuple(step for step in steps if step is not None),
        destinations=tuple(destinations),
        messages=tuple(rendered),
    )


def _title(alert: NativeAlert) -> str:
    return title_of(alert.labels, alert.annotations)


def _refused(errors: list[ItemError], moment: Moment) -> Explanation:
    step = door.refusal(errors)
    return Explanation(
        subject=Subject(kind="imagined", title=_("An alert that cannot be taken")),
        at=moment.now,
        time_zone=moment.time_zone,
        is_prediction=True,
        verdict=Verdict.FAULT,
        summary=step.sentence,
        steps=(step,),
    )


def _configuration(prospect: Prospect) -> Step | None:
    """What of the configuration cannot be used and is left out; usually nothing."""
    faults = prospect.configuration.faults
    if not faults:
        return None
    details = tuple(
        Detail(
            verdict=Verdict.FAULT,
            code="left_out",
            subject=one.kind,
            id=one.id,
            name=one.name,
            sentence=f"{one.name}: {one.message}",
        )
        for one in faults
    )
    return Step(
        kind=StepKind.CONFIGURATION,
        verdict=Verdict.FAULT,
        title=_("Configuration"),
        sentence=_("Part of the configuration cannot be used and is left out."),
        details=details,
    )


def _enrichment(prospect: Prospect) -> Step:
    step = enriching.enrichment(prospect.configuration.chain.rows, labels_of(prospect.alert), prospect.enriched)
    if prospect.assessed.row.labels is not None or prospect.stored is None:
        return step
    sentence = _("It is no news, so the alert keeps the labels it has.")
    return msgspec.structs.replace(step, sentence=f"{step.sentence} {sentence}")


def _mutes(prospect: Prospect, clock: Clock) -> list[Step]:
    """The three ways to mute; an alert that is over needs no muting."""
    if prospect.assessed.row.status != FIRING:
        return []
    found = prospect.witness.mutes(prospect.labels)
    by_kind = {kind: [one for one in found if one.kind == kind] for kind in MuteKind}
    at, labels, configuration = prospect.decided_at, prospect.labels, prospect.configuration
    return [
        muting.silences(configuration, by_kind[MuteKind.SILENCE], labels, at, clock),
        muting.inhibitions(configuration, by_kind[MuteKind.INHIBITION], labels, prospect.sources, clock),
        muting.maintenance(configuration, by_kind[MuteKind.MAINTENANCE], labels, at, clock),
    ]


def _group(prospect: Prospect, clock: Clock) -> list[Step]:
    if prospect.assessed.row.status != FIRING:
        return [grouping.left_alone(prospect.group, clock)]
    known = prospect.assessed.known
    is_member = known is not None and prospect.group is not None and known.group_id == str(prospect.group.pk)
    return [
        grouping.rule(prospect.configuration.grouping, prospect.grouping, prospect.labels),
        grouping.group(prospect.group, clock, is_member=is_member),
    ]


def _summary(prospect: Prospect, destinations: list[Destination], clock: Clock) -> str:
    told = [one for one in destinations if one.is_told]
    if told:
        return _told(prospect, told, clock)
    text = _why_nobody(prospect, destinations, clock)
    later = _later(prospect, clock)
    return f"{text} {later}" if later else text


def _told(prospect: Prospect, told: list[Destination], clock: Clock) -> str:
    at = prospect.decided_at
    values = {"names": telling.names(told), "at": clock.at(at), "until": clock.until(at)}
    if not prospect.assessed.is_news:
        sentence = _(
            "Nobody would be told because of this."
            " Apart from it, %(names)s would hear of its group at %(at)s (%(until)s)."
        )
    elif at <= prospect.moment.now:
        sentence = _("%(names)s would be told at once.")
    else:
        sentence = _("%(names)s would be told at %(at)s (%(until)s).")
    return " ".join([sentence % values, *_held(told, clock)])


def _held(told: list[Destination], clock: Clock) -> list[str]:
    held = [one for one in told if one.held_until is not None]
    sentence = _("%(name)s cannot take it before %(at)s.")
    return [sentence % {"name": one.channel, "at": clock.at(one.held_until)} for one in held if one.held_until]


def _later(prospect: Prospect, clock: Clock) -> str:
    """Whom the look after the next would tell: those who hear of it when a silence ends."""
    if prospect.verdict is None or prospect.afterwards is None or prospect.verdict.due_at is None:
        return ""
    names = dict.fromkeys(one.destination.name for one in prospect.afterwards.tellings)
    if not names:
        return ""
    sentence = _("If it still fires at %(at)s, %(names)s would be told then.")
    return sentence % {"at": clock.at(prospect.verdict.due_at), "names": listed(names)}


def _why_nobody(prospect: Prospect, destinations: list[Destination], clock: Clock) -> str:
    """The one thing that keeps it quiet, the earliest in the pipeline first."""
    if not prospect.assessed.is_news:
        if prospect.news is News.OUTDATED:
            return _("Nobody would be told: it is old news.")
        return _("Nobody would be told: it is no news.")
    mutes = prospect.witness.mutes(prospect.labels) if prospect.assessed.row.status == FIRING else []
    if mutes:
        return _("Nobody would be told. %(why)s") % {"why": _muted(mutes[0], clock)}
    if prospect.due_group is None:
        return _("Nobody would be told: it is over, and in no open group.")
    if prospect.configuration.routes is None:
        return _("Nobody would be told: there is no route that can be used.")
    if not destinations:
        return _("Nobody would be told: its route has no channel.")
    if len(destinations) == 1:
        return _("Nobody would be told. %(why)s") % {"why": telling.whole(destinations[0])}
    return _("Nobody would be told; each destination has its reason, which is told below.")


def _muted(mute: Muted, clock: Clock) -> str:
    values = {"name": mute.name, "until": clock.at(mute.until) if mute.until else ""}
    if mute.kind is MuteKind.SILENCE:
        return _("The silence “%(name)s” mutes it until %(until)s.") % values
    if mute.kind is MuteKind.MAINTENANCE:
        return _("The maintenance window “%(name)s” mutes it until %(until)s.") % values
    return _("“%(name)s” mutes it while another alert fires.") % values
