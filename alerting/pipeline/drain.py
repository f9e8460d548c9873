"""Drain a tenant's intake: many requests, one transaction, a handful of statements whatever the batch size."""

from collections.abc import Sequence
from time import perf_counter
from typing import Final
from uuid import UUID

import msgspec
import structlog
from django.db import InterfaceError, OperationalError, ProgrammingError, transaction
from prometheus_client import Counter, Histogram

from alerting import timeline, timers
from alerting.configuration import Compiled, compiled
from alerting.exclusive import Moment, try_drain
from alerting.pipeline import alerts, claim
from alerting.pipeline.assess import Assessed, assess
from alerting.pipeline.claim import Claim, Item
from alerting.pipeline.folding import Folded, fold
from alerting.pipeline.groups import Delta, Groups
from alerting.pipeline.native import native_json
from alerting.rows import new_ids, one_message
from alerting.scoring.latest import scorer_of
from alerting.timeline import Event, Kind
from tenants.context import tenant_context

log = structlog.get_logger(__name__)

MAX_ALERTS: Final = 4_000
#: Taken at once while a poisonous alert is looked for.
CAREFUL_ALERTS: Final = 500
#: When so many alerts fail, and all of them do, it is not the alerts.
SYSTEMIC: Final = 50
#: Seconds an alert; a step of enrichment that takes longer holds everything up.
SLOW_STEP: Final = 0.001

_alerts = Counter("alerting_pipeline_alerts", "Alerts drained, by what they were", ["result"])
_seconds = Histogram("alerting_drain_seconds", "Time of one drain", buckets=(0.005, 0.02, 0.05, 0.1, 0.3, 1, 5))
_steps = Counter("alerting_enrichment_seconds", "Time spent in steps of enrichment")


class DrainResult(msgspec.Struct):
    """What one drain did."""

    requests: int = 0
    #: Taken out of the queue, quarantined ones included.
    alerts: int = 0
    new: int = 0
    changed: int = 0
    repeated: int = 0
    quarantined: int = 0
    opened_groups: int = 0
    #: A group is due already, so that the caller does well to flush at once.
    due_now: bool = False
    is_busy_elsewhere: bool = False

    def add(self, other: "DrainResult") -> None:
        """Count the work of a part."""
        self.new += other.new
        self.changed += other.changed
        self.repeated += other.repeated
        self.opened_groups += other.opened_groups
        self.due_now = self.due_now or other.due_now


def drain(tenant_id: UUID, max_alerts: int = MAX_ALERTS) -> DrainResult:
    """Turn the oldest waiting requests of a tenant into alerts, groups, timers and events.

    Returns at once with `is_busy_elsewhere` when another drain of the tenant is at work. A batch that fails
    is taken again with care: what makes it fail goes to quarantine, alone.
    """
    began = perf_counter()
    try:
        result = _drain(tenant_id, max_alerts, is_careful=False)
    except (InterfaceError, ProgrammingError):
        raise
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != "57014":  # anything but "took too long"
            raise
        log.warning("drain took too long", tenant_id=str(tenant_id))
        result = _drain(tenant_id, CAREFUL_ALERTS, is_careful=True)
    except Exception as error:
        log.warning("drain failed, looking for the cause", tenant_id=str(tenant_id), error_class=type(error).__name__)
        result = _drain(tenant_id, CAREFUL_ALERTS, is_careful=True)
    if result.alerts:
        _seconds.observe(perf_counter() - began)
        for name in ("new", "changed", "repeated", "quarantined"):
            _alerts.labels(name).inc(getattr(result, name))
    return result


def _drain(tenant_id: UUID, max_alerts: int, *, is_careful: bool) -> DrainResult:
    with tenant_context(tenant_id):
        moment = try_drain(tenant_id)
        if moment is None:
            return DrainResult(is_busy_elsewhere=True)
        taken = claim.take(max_alerts)
        if not taken.requests:
            return DrainResult()
        result = DrainResult(requests=len(taken.requests), alerts=len(taken.items) + len(taken.refused))
        configuration = compiled(moment)
        if is_careful:
            result.add(_bisect(taken, taken.items, moment, configuration))
        elif taken.items:
            result.add(process(taken.items, moment, configuration))
        result.quarantined = len(taken.refused)
        claim.finish(taken)
    return result


def process(items: Sequence[Item], moment: Moment, configuration: Compiled) -> DrainResult:
    """Work on decoded alerts inside the tenant's turn; the number of statements does not depend on theirs."""
    folded = fold(items, configuration.ignored_labels)
    repeated = alerts.touch_repeats([one for one in folded if one.runs is None])
    rest = [one for one in folded if one.fingerprint not in repeated]
    result = DrainResult(repeated=len(items) - sum(one.count for one in rest))
    if rest:
        _write(rest, moment, configuration, result)
    return result


def _write(rest: list[Folded], moment: Moment, configuration: Compiled, result: DrainResult) -> None:
    known = alerts.read_known([one.fingerprint for one in rest])
    ids = iter(new_ids(len(rest) - len(known)))
    scorer = scorer_of(moment, configuration.scoring)
    assessed = [
        assess(one, found, configuration, moment.now, "" if found else next(ids), scorer)
        for one, found in ((one, known.get(one.fingerprint)) for one in rest)
    ]
    if scorer is not None:
        scorer.say_what_is_unusual([one.row for one in assessed if one.joins is not None])
    groups = Groups(moment.now)
    groups.find(assessed)
    for one in assessed:
        groups.count(one)
    with one_message():
        opened = groups.insert_new()
        alerts.update([one.row for one in assessed if one.known is not None])
        alerts.insert([one.row for one in assessed if one.known is None])
        groups.update_known()
        timeline.record(_events(opened, assessed))
        if any(ceases_to_inhibit(one) for one in assessed):
            timers.look_at_inhibited()
        result.due_now = timers.bring_forward(groups.due())
    _watch_steps(moment, configuration)
    result.new = len(rest) - len(known)
    result.changed = sum(one.is_news for one in assessed if one.known is not None)
    result.opened_groups = len(opened)


def _watch_steps(moment: Moment, configuration: Compiled) -> None:
    for step_id, (times, seconds) in configuration.chain.take_timings().items():
        _steps.inc(seconds)
        if seconds > times * SLOW_STEP:
            log.warning(
                "slow enrichment step",
                tenant_id=str(moment.tenant_id),
                step_id=str(step_id),
                microseconds=round(seconds / times * 1e6),
            )


def _events(opened: list[Delta], assessed: list[Assessed]) -> list[Event]:
    events = [Event(kind=Kind.OPENED, group_id=delta.id, data={"severity": delta.severity}) for delta in opened]
    for one in assessed:
        events.extend(msgspec.structs.replace(event, group_id=one.row.group_id) for event in one.events)
    return events


def ceases_to_inhibit(one: Assessed) -> bool:
    """Whether with this change an alert no longer mutes others."""
    known = one.known
    if known is None or not known.is_inhibitor or known.state.status != "firing":
        return False
    return one.row.status != "firing" or not one.row.is_inhibitor


def _bisect(taken: Claim, items: list[Item], moment: Moment, configuration: Compiled) -> DrainResult:
    """Work on halves until what fails stands alone, and refuse that."""
    before = len(taken.refused)
    result, error = _try_parts(taken, items, moment, configuration)
    if error is not None and len(items) > SYSTEMIC and len(taken.refused) - before == len(items):
        raise error
    return result


def _try_parts(
    taken: Claim, items: list[Item], moment: Moment, configuration: Compiled
) -> tuple[DrainResult, Exception | None]:
    if not items:
        return DrainResult(), None
    try:
        with transaction.atomic():
            return process(items, moment, configuration), None
    except (InterfaceError, OperationalError, ProgrammingError):
        raise
    except Exception as error:
        if len(items) == 1:
            item = items[0]
            log.error("alert quarantined", tenant_id=str(moment.tenant_id), error_class=type(error).__name__)
            refused = claim.refuse(item.request, item.index, native_json(item.alert), "poison", str(error))
            refused.source = "native"
            taken.refused.append(refused)
            return DrainResult(), error
        half = len(items) // 2
        result, first = _try_parts(taken, items[:half], moment, configuration)
        other, second = _try_parts(taken, items[half:], moment, configuration)
        result.add(other)
        return result, first or second
