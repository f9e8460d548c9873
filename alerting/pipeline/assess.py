"""What a batch means for one alert that is new or changed: its new row, what happened, what its group must know."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from alerting.configuration import Compiled
from alerting.decoding import Flag, NativeAlert
from alerting.enrichment import Enriched
from alerting.flapping import STEADY, Turn, advance
from alerting.grouping import Group
from alerting.matchers import LEVEL
from alerting.pipeline.alerts import AlertRow, Known
from alerting.pipeline.claim import Item
from alerting.pipeline.folding import Folded
from alerting.pipeline.news import FIRING, RESOLVED, START_ASSUMED, News, State, judge
from alerting.routing import DEFAULT_TIMERS, Timers
from alerting.severity import DEFAULT, LABELS, SYNONYMS, parse
from alerting.timeline import Event, Kind, Why

if TYPE_CHECKING:
    from alerting.scoring.scorer import Scorer

_FLAGS: Final = {flag.value: flag.name.lower() for flag in Flag if flag.name}


class Assessed(msgspec.Struct):
    """The outcome for one alert."""

    row: AlertRow
    known: Known | None
    #: Without their group, which may not exist yet.
    events: list[Event]
    #: The group it belongs in from now on, when it fired; None leaves it where it is.
    joins: Group | None
    annotations: Any
    timers: Timers | None
    #: Something people want to hear of.
    is_news: bool
    turned: Turn


class _Story:
    """The items of one alert, judged one after the other."""

    def __init__(self, known: Known | None) -> None:
        self.state: State | None = known.state if known else None
        self.cycle = known.cycle if known else 1
        self.resolved_at: datetime | None = None
        self.flips: list[datetime] = []
        self.news: list[News] = []
        self.last: Item | None = None
        self.has_fired = False

    def tell(self, item: Item) -> None:
        news = judge(self.state, item.alert)
        if news is News.OUTDATED:
            return
        self.last = item
        if news is News.REPEATED:
            return
        is_known = self.state is not None
        self.news.append(news)
        if news is News.RESOLVED:
            self._resolve(item)
        else:
            self.has_fired = True
            self.cycle += news is News.FIRED_AGAIN
            start = item.alert.starts_at
            self.state = State(FIRING, start or item.received_at, start is None)
        if is_known:
            self.flips.append(item.received_at)

    def _resolve(self, item: Item) -> None:
        start = item.alert.starts_at
        before = self.state or State(FIRING, start or item.received_at, start is None)
        self.resolved_at = item.alert.ends_at or item.received_at
        self.state = State(RESOLVED, before.starts_at, before.is_start_assumed, "sender")


def assess(
    folded: Folded, known: Known | None, compiled: Compiled, now: datetime, new_id: str, scorer: "Scorer | None" = None
) -> Assessed:
    """Judge what a batch says of one alert against what is known of it."""
    story = _Story(known)
    for item in folded.items():
        story.tell(item)
    alert_id = known.id if known else new_id
    state = story.state
    # A first item is never outdated, so that there is always a state.
    assert state is not None  # noqa: S101
    flapping, turned = advance(known.flapping if known else STEADY, now, compiled.thresholds, story.flips)
    row = AlertRow(
        id=alert_id,
        fingerprint="\\x" + folded.fingerprint.hex(),
        status=state.status,
        severity=known.severity if known else 0,
        starts_at=state.starts_at,
        cycle=story.cycle,
        count=folded.count,
        is_changed=bool(story.news) or turned is not Turn.NONE,
        is_outdated=story.last is None,
        resolved_at=story.resolved_at if state.status == RESOLVED else None,
        resolved_because=state.resolved_because,
        changes=flapping.changes,
        is_flapping=flapping.is_flapping,
        is_inhibitor=known.is_inhibitor if known else False,
    )
    assessed = Assessed(row, known, [], None, None, None, bool(story.news) or turned is not Turn.NONE, turned)
    if story.last is not None:
        _take_content(assessed, story, compiled, now, scorer)
    _record(assessed, story)
    return assessed


def _take_content(
    assessed: Assessed, story: _Story, compiled: Compiled, now: datetime, scorer: "Scorer | None"
) -> None:
    """Take labels, severity and values over from the latest item, enriched."""
    row, known = assessed.row, assessed.known
    alert = story.last.alert if story.last else None
    if alert is None:
        return
    row.metric_value, row.ends_at = alert.metric_value, alert.ends_at
    enriched = compiled.chain.apply(labels_of(alert), alert.annotations, now)
    severity = _severity(alert, enriched)
    urgency = scorer.urgency(enriched.labels, severity) if scorer else None
    if urgency is not None:
        severity = urgency.becomes
    if known is None or row.status == FIRING:
        row.severity = severity
    is_rerated = known is not None and known.severity != row.severity
    if not story.news and not is_rerated and assessed.turned is Turn.NONE:
        return
    row.is_changed = True
    row.labels = _with_level(enriched.labels, severity, alert)
    row.annotations, row.enrichment = enriched.annotations, _applied(enriched)
    row.generator_url, row.metric_name = alert.generator_url, alert.metric_name
    row.flags = flags_of(alert.flags, is_start_assumed=story.state is not None and story.state.is_start_assumed)
    row.is_inhibitor = bool(compiled.inhibitor.source_keys(enriched.labels))
    assessed.annotations = enriched.annotations
    assessed.timers = timers_of(compiled, enriched.labels)
    if story.has_fired:
        row.scores = {"urgency": urgency} if urgency else None
        assessed.joins = compiled.grouping.group_of(enriched.labels)
    if known is not None and is_rerated and known.state.status == FIRING == row.status:
        assessed.is_news = assessed.is_news or row.severity > known.severity
        data = {"from": known.severity, "to": row.severity}
        assessed.events.append(Event(kind=Kind.SEVERITY_CHANGED, alert_id=row.id, data=data))


def _record(assessed: Assessed, story: _Story) -> None:
    row = assessed.row
    for news in story.news:
        if news is News.FIRED:
            event = Event(kind=Kind.FIRED, alert_id=row.id, data={"severity": row.severity})
        elif news is News.FIRED_AGAIN:
            event = Event(kind=Kind.FIRED_AGAIN, alert_id=row.id, data={"severity": row.severity, "cycle": row.cycle})
        else:
            why = Why.BY_SENDER if assessed.known or story.has_fired else Why.NEVER_FIRED
            event = Event(kind=Kind.RESOLVED, alert_id=row.id, reason=why)
        assessed.events.append(event)
    if assessed.turned is not Turn.NONE:
        kind = Kind.FLAPPING_STARTED if assessed.turned is Turn.STARTED else Kind.FLAPPING_STOPPED
        assessed.events.append(Event(kind=kind, alert_id=row.id, data={"changes": len(row.changes)}))


def labels_of(alert: NativeAlert) -> dict[str, str]:
    """The labels rules look at: those sent, and `severity` when only the field of that name was sent.

    The fingerprint knows nothing of the added one, so that a change of severity stays the same alert.
    """
    if "severity" in alert.labels:
        return _with_level(alert.labels, alert.severity, alert)
    return {**alert.labels, "severity": LABELS[alert.severity]}


def _with_level(labels: Mapping[str, str], severity: int, alert: NativeAlert) -> dict[str, str]:
    """Write the level down where the label `severity` does not say it, so that rules can ask for it all the same."""
    said = labels.get("severity", "")
    agrees = SYNONYMS.get(said, parse(said) or DEFAULT) == severity
    if LEVEL in alert.labels or (agrees and LEVEL not in labels):
        return dict(labels)
    rest = {name: value for name, value in labels.items() if name != LEVEL}
    return rest if agrees else {**rest, LEVEL: LABELS[severity]}


def timers_of(compiled: Compiled, labels: Any) -> Timers:
    """The timers of an alert's routes; where it takes several, the shortest of each."""
    if compiled.routes is None:
        return DEFAULT_TIMERS
    routes = compiled.routes.route(labels)
    first = routes[0].timers
    for route in routes[1:]:
        first = Timers(*(min(pair) for pair in zip(_spans(first), _spans(route.timers), strict=True)))
    return first


def _spans(timers: Timers) -> tuple[timedelta, timedelta, timedelta]:
    return timers.group_wait, timers.group_interval, timers.repeat_interval


def _severity(alert: NativeAlert, enriched: Enriched) -> int:
    """What the sender said, unless a step of enrichment set the label `severity` to a word we know."""
    for applied in reversed(enriched.applied):
        if "severity" in applied.changes.labels:
            said = parse(applied.changes.labels["severity"])
            return alert.severity if said is None else int(said)
    return alert.severity


def _applied(enriched: Enriched) -> list[dict[str, Any]] | None:
    """What enrichment did, by step, as it is stored with the alert."""
    if not enriched.applied:
        return None
    return [
        {
            "step": str(applied.step_id),
            "name": applied.name,
            "labels": applied.changes.labels,
            "annotations": applied.changes.annotations,
            "refused": applied.changes.refused,
        }
        for applied in enriched.applied
    ]


def flags_of(bits: int, *, is_start_assumed: bool = False) -> list[str]:
    """What the door had to mend, as words."""
    words = [word for bit, word in _FLAGS.items() if bits & bit]
    return [*words, START_ASSUMED] if is_start_assumed else words
