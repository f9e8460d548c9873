"""What was decided about an alert or a group, told from what is stored: why did I, or did I not, get this?"""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting import severity
from alerting.exclusive import Moment
from alerting.explain import sent
from alerting.explain.events import told
from alerting.explain.identity import past
from alerting.explain.scoring import scoring
from alerting.explain.story import Detail, Explanation, Step, StepKind, Subject, Verdict
from alerting.explain.unheard import unheard
from alerting.explain.words import Clock, listed, pairs
from alerting.models import Alert, AlertGroup, TimelineEvent, Timer
from alerting.timeline import Kind
from channels.models import Delivery, DeliveryState

#: The latest so many lines are told; a group that has flapped for weeks has thousands.
MAX_EVENTS: Final = 200
MAX_DELIVERIES: Final = 50


def of_alert(alert: Alert, moment: Moment) -> Explanation:
    """The stored decisions about one alert and about the groups it was told with."""
    clock = Clock(moment.now, moment.time_zone)
    events = _events(alert)
    groups = {event.group_id for event in events if event.group_id} | ({alert.group_id} if alert.group_id else set())
    deliveries = _deliveries(groups)
    open_group = AlertGroup.objects.filter(pk=alert.group_id).first() if alert.group_id else None
    steps = [
        _identity(alert, clock),
        _enrichment(alert),
        scoring(alert.scores),
        _muted(alert.muted_by or []),
        _history(events, clock),
        _sent(deliveries, clock),
        unheard(groups, events, clock),
        _next(open_group, clock),
    ]
    return Explanation(
        subject=Subject(kind="alert", title=str(alert), id=alert.pk, labels=alert.labels),
        at=moment.now,
        time_zone=moment.time_zone,
        is_prediction=False,
        verdict=_verdict(deliveries),
        summary=_summary(deliveries, events, clock),
        steps=tuple(step for step in steps if step is not None),
    )


def of_group(group: AlertGroup, moment: Moment) -> Explanation:
    """The stored decisions about one group."""
    clock = Clock(moment.now, moment.time_zone)
    newest = TimelineEvent.objects.filter(group_id=group.pk).order_by("-id")[:MAX_EVENTS]
    events = list(newest)[::-1]
    deliveries = _deliveries({group.pk})
    muted = [one for mutes in _mutes_of(group) for one in mutes or []]
    steps = [
        _muted(muted),
        _history(events, clock),
        _sent(deliveries, clock),
        unheard({group.pk}, events, clock),
        _next(group, clock),
    ]
    return Explanation(
        subject=Subject(kind="group", title=group.title, id=group.pk, labels=group.labels),
        at=moment.now,
        time_zone=moment.time_zone,
        is_prediction=False,
        verdict=_verdict(deliveries),
        summary=_summary(deliveries, events, clock),
        steps=tuple(step for step in steps if step is not None),
    )


def _mutes_of(group: AlertGroup) -> Iterable[Any]:
    rows = Alert.objects.filter(group=group, muted_by__isnull=False)
    return rows.order_by("-changed_at").values_list("muted_by", flat=True)[:MAX_EVENTS]


def _events(alert: Alert) -> list[TimelineEvent]:
    """What happened to the alert, and what was decided about its groups as a whole, oldest first."""
    own = TimelineEvent.objects.filter(alert_id=alert.pk)
    groups = set(own.exclude(group_id=None).values_list("group_id", flat=True))
    if alert.group_id:
        groups.add(alert.group_id)
    both = TimelineEvent.objects.filter(Q(alert_id=alert.pk) | Q(group_id__in=groups, alert_id=None))
    return list(both.order_by("-id")[:MAX_EVENTS])[::-1]


def _deliveries(groups: set[UUID]) -> list[Delivery]:
    if not groups:
        return []
    rows = Delivery.objects.filter(source_id__in=groups).select_related("channel").prefetch_related("attempt_log")
    return list(rows.order_by("-created_at", "-id")[:MAX_DELIVERIES])[::-1]


def _identity(alert: Alert, clock: Clock) -> Step:
    known = past(alert, clock)
    facts = Detail(
        verdict=Verdict.NOTED,
        code="labels",
        sentence=_("Severity %(severity)s, labels %(labels)s.")
        % {"severity": severity.LABELS.get(alert.severity, alert.severity), "labels": pairs(alert.labels)},
    )
    return Step(
        kind=StepKind.IDENTITY,
        verdict=Verdict.NOTED,
        title=_("The alert"),
        sentence=known.sentence,
        details=(facts, *(_flag(word) for word in alert.flags)),
    )


def _flag(word: str) -> Detail:
    sentences = {
        "time_clamped": _("A time its sender gave was too far off to be true and was moved."),
        "text_cleaned": _("Hidden characters were taken out of its texts."),
        "severity_unknown": _("Its severity was a word we do not know; it counts as a warning."),
        "url_dropped": _("Its link was left out: it is no plain web address."),
        "start_assumed": _("Its sender gave no start, so the time it came in stands there."),
    }
    return Detail(verdict=Verdict.NOTED, code=word, sentence=sentences.get(word, word))


def _enrichment(alert: Alert) -> Step | None:
    if not alert.enrichment:
        return None
    details = [_enriched(one) for one in alert.enrichment]
    sentence = ngettext(
        "%(count)d step of enrichment changed it.", "%(count)d steps of enrichment changed it.", len(details)
    )
    return Step(
        kind=StepKind.ENRICHMENT,
        verdict=Verdict.CHANGED,
        title=_("Enrichment"),
        sentence=sentence % {"count": len(details)},
        details=tuple(details),
    )


def _enriched(one: dict[str, Any]) -> Detail:
    names = {**(one.get("labels") or {}), **(one.get("annotations") or {})}
    kept = {name: value for name, value in names.items() if value is not None}
    gone = [name for name, value in names.items() if value is None]
    parts = [_("set %(labels)s") % {"labels": pairs(kept)}] if kept else []
    parts += [_("took away %(labels)s") % {"labels": ", ".join(gone)}] if gone else []
    parts += list(one.get("refused") or ())
    sentence = _("“%(name)s” %(what)s.") % {"name": one.get("name", ""), "what": ", ".join(parts)}
    return Detail(verdict=Verdict.CHANGED, code="applied", subject="enrichment_step", sentence=sentence, data=one)


def _muted(mutes: Sequence[dict[str, Any]]) -> Step | None:
    unique = {(one.get("kind"), one.get("id")): one for one in mutes}
    if not unique:
        return None
    sentences = {
        "silence": lambda: _("The silence “%(name)s” mutes it."),
        "inhibition": lambda: _("The inhibition rule “%(name)s” mutes it while another alert fires."),
        "maintenance": lambda: _("The maintenance window “%(name)s” mutes it."),
    }
    details = tuple(
        Detail(
            verdict=Verdict.QUIET,
            code="muted",
            subject=str(one.get("kind")),
            name=str(one.get("name", "")),
            sentence=sentences.get(str(one.get("kind")), lambda: "%(name)s")() % {"name": one.get("name", "")},
            data=one,
        )
        for one in unique.values()
    )
    return Step(
        kind=StepKind.SILENCES,
        verdict=Verdict.QUIET,
        title=_("Muted"),
        sentence=_("When it was last looked at, it was muted."),
        details=details,
    )


def _history(events: Sequence[TimelineEvent], clock: Clock) -> Step:
    return Step(
        kind=StepKind.HISTORY,
        verdict=Verdict.NOTED,
        title=_("What happened"),
        sentence=ngettext(
            "%(count)d thing happened, oldest first.", "%(count)d things happened, oldest first.", len(events)
        )
        % {"count": len(events)}
        if events
        else _("Nothing is on record."),
        details=tuple(told(event, clock) for event in events),
    )


def _sent(deliveries: Sequence[Delivery], clock: Clock) -> Step:
    return Step(
        kind=StepKind.DELIVERIES,
        verdict=_verdict(deliveries),
        title=_("Messages"),
        sentence=sent.sentence(deliveries),
        details=tuple(sent.delivery(one, clock) for one in deliveries),
    )


def _next(group: AlertGroup | None, clock: Clock) -> Step | None:
    if group is None or group.status == "resolved":
        return None
    due_at = Timer.objects.filter(tenant_id=group.tenant_id, kind="group", object_id=group.pk).values_list(
        "due_at", flat=True
    )
    due = due_at.first()
    if due is None:
        sentence = _("The group is not looked at again before something about it changes.")
    else:
        sentence = _("The group is looked at again at %(at)s (%(until)s).")
        sentence %= {"at": clock.at(due), "until": clock.until(due)}
    return Step(kind=StepKind.TIMERS, verdict=Verdict.NOTED, title=_("What comes next"), sentence=sentence)


def _verdict(deliveries: Sequence[Delivery]) -> Verdict:
    if any(one.state in (DeliveryState.DEAD, DeliveryState.EXPIRED) for one in deliveries):
        return Verdict.FAULT
    return Verdict.PASSED if deliveries else Verdict.QUIET


def _summary(deliveries: Sequence[Delivery], events: Sequence[TimelineEvent], clock: Clock) -> str:
    if deliveries:
        text = sent.sentence(deliveries)
        names = dict.fromkeys(one.channel.name for one in deliveries if one.state == DeliveryState.DELIVERED)
        if names:
            text += " " + _("Told: %(names)s.") % {"names": listed(names)}
        return text + " " + _("The latest was made at %(at)s.") % {"at": clock.at(deliveries[-1].created_at)}
    quiet = [event for event in events if event.kind == Kind.NOT_TOLD]
    if quiet:
        return _("Nobody was told. %(why)s") % {"why": told(quiet[-1], clock).sentence}
    return _("Nobody has been told about it so far.")
