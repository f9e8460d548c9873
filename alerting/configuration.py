"""A tenant's configuration, compiled: routes, rules, mutes, steps and channels, kept until its revision changes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
import structlog

from alerting import models
from alerting.enrichment import Chain, StepRow
from alerting.exclusive import Moment
from alerting.flapping import Thresholds
from alerting.grouping import Grouping, GroupingRule
from alerting.matchers import Matcher, from_json
from alerting.muting import InhibitionRule, Inhibitor, MaintenanceWindow, MaintenanceWindows, Silence, Silences
from alerting.routing import RouteError, RouteNode, RouteTree
from channels import registry
from channels.errors import InvalidSettings, UnknownKind
from channels.models import Channel

log = structlog.get_logger(__name__)

#: Tenants remembered per thread; what a thread compiled it alone uses, since rules remember their last answers.
MAX_TENANTS: Final = 128

Made = TypeVar("Made")


class Fault(msgspec.Struct, frozen=True):
    """A row that could not be used and was left out, so that alerts need not wait for somebody to mend it."""

    kind: str
    id: UUID | None
    name: str
    message: str


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as the flush needs it."""

    id: UUID
    name: str
    kind: str
    recipients: tuple[str, ...]
    send_resolved: bool
    is_active: bool
    locale: str
    idempotent: bool


class ScoringRules(msgspec.Struct, frozen=True):
    """What scoring may do."""

    mode: str
    severity_floor: int
    trust_floor: float


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the drain and the flush ask, ready to be asked."""

    revision: int
    time_zone: str
    routes: RouteTree | None
    grouping: Grouping
    silences: Silences
    inhibitor: Inhibitor
    windows: MaintenanceWindows
    chain: Chain
    thresholds: Thresholds
    scoring: ScoringRules
    ignored_labels: frozenset[str]
    stale_after: timedelta
    channels: Mapping[UUID, Destination]
    #: Identifies the inhibition rules; compared with the ones Alert.is_inhibitor was set by.
    inhibitors: bytes
    faults: tuple[Fault, ...]


class _Kept(threading.local):
    def __init__(self) -> None:
        self.tenants: OrderedDict[UUID, Compiled] = OrderedDict()


_kept: Final = _Kept()


def compiled(moment: Moment) -> Compiled:
    """The tenant's configuration as of this moment; compiled anew only when its revision or time zone changed."""
    known = _kept.tenants.get(moment.tenant_id)
    if known is not None and known.revision == moment.revision and known.time_zone == moment.time_zone:
        _kept.tenants.move_to_end(moment.tenant_id)
        return known
    fresh = compile_configuration(moment)
    for fault in fresh.faults:
        log.error("configuration left out", kind=fault.kind, id=str(fault.id), reason=fault.message)
    _kept.tenants[moment.tenant_id] = fresh
    if len(_kept.tenants) > MAX_TENANTS:
        _kept.tenants.popitem(last=False)
    return fresh


def forget() -> None:
    """Forget what this thread compiled."""
    _kept.tenants.clear()


def compile_configuration(moment: Moment) -> Compiled:
    """Read and compile everything; what cannot be used is left out and listed."""
    faults: list[Fault] = []
    policy = models.AlertingPolicy._default_manager.first() or models.AlertingPolicy()
    inhibitions = _each(
        models.InhibitionRule._default_manager.filter(is_active=True).order_by("id"), _inhibition, faults
    )
    chain = Chain(
        _each(models.EnrichmentStep._default_manager.filter(is_active=True).order_by("position", "id"), _step, faults),
        moment.time_zone,
    )
    faults.extend(Fault("enrichment_step", row.id, row.name, error.message) for row, error in chain.broken)
    return Compiled(
        revision=moment.revision,
        time_zone=moment.time_zone,
        routes=_routes(faults),
        grouping=Grouping(_each(models.GroupingRule._default_manager.all(), _grouping_rule, faults)),
        silences=Silences(_each(models.Silence._default_manager.filter(ends_at__gt=moment.now), _silence, faults)),
        inhibitor=Inhibitor(inhibitions),
        windows=MaintenanceWindows(_windows(moment.time_zone, faults)),
        chain=chain,
        thresholds=Thresholds(policy.flap_window, policy.flap_enter, policy.flap_leave),
        scoring=ScoringRules(policy.scoring, policy.severity_floor, policy.trust_floor),
        ignored_labels=frozenset(policy.ignored_labels),
        stale_after=policy.stale_after,
        channels={channel.id: _destination(channel, faults) for channel in Channel._default_manager.all()},
        inhibitors=blake2b(repr(inhibitions).encode(), digest_size=16).digest(),
        faults=tuple(faults),
    )


def _each(rows: Iterable[Any], make: Callable[[Any], Made], faults: list[Fault]) -> list[Made]:
    made: list[Made] = []
    for row in rows:
        try:
            made.append(make(row))
        except ValueError as refused:
            faults.append(_fault(row, refused))
    return made


def _fault(row: Any, refused: Exception) -> Fault:
    return Fault(row._meta.model_name, row.pk, str(row), getattr(refused, "message", str(refused)))


def _matchers(row: Any) -> tuple[Matcher, ...]:
    return from_json(row.matchers)


def _grouping_rule(row: models.GroupingRule) -> GroupingRule:
    return GroupingRule(
        id=row.pk, name=row.name, position=row.position, matchers=_matchers(row), group_by=tuple(row.group_by)
    )


def _silence(row: models.Silence) -> Silence:
    return Silence(row.pk, row.comment, _matchers(row), row.starts_at, row.ends_at)


def _inhibition(row: models.InhibitionRule) -> InhibitionRule:
    return InhibitionRule(
        row.pk, row.name, from_json(row.source_matchers), from_json(row.target_matchers), tuple(row.equal)
    )


def _step(row: models.EnrichmentStep) -> StepRow:
    return StepRow(id=row.pk, name=row.name, kind=row.kind, matchers=_matchers(row), settings=row.settings)


def _windows(time_zone: str, faults: list[Fault]) -> list[MaintenanceWindow]:
    def window(row: models.MaintenanceWindow) -> MaintenanceWindow:
        made = MaintenanceWindow(
            id=row.pk,
            name=row.name,
            matchers=_matchers(row),
            starts_at=datetime.combine(row.start_date, row.start_time),
            duration=row.duration,
            time_zone=row.time_zone or time_zone,
            rrule=row.rrule,
        )
        made.check()
        return made

    return _each(models.MaintenanceWindow._default_manager.filter(is_active=True), window, faults)


def _routes(faults: list[Fault]) -> RouteTree | None:
    """The tree; a node that cannot be used falls away with what is below it, so that its parent takes the alerts."""
    channels: dict[UUID, list[UUID]] = {}
    links = models.RouteChannel._default_manager.order_by("route_id", "id").values_list("route_id", "channel_id")
    for route_id, channel_id in links:
        channels.setdefault(route_id, []).append(channel_id)

    def node(row: models.Route) -> RouteNode:
        return RouteNode(
            id=row.pk,
            name=row.name,
            parent_id=row.parent_id,
            position=row.position,
            matchers=_matchers(row),
            continue_=row.continues,
            group_wait=row.group_wait,
            group_interval=row.group_interval,
            repeat_interval=row.repeat_interval,
            channel_ids=tuple(channels.get(row.pk, ())),
            policy_id=row.policy_id,
        )

    nodes = _each(models.Route._default_manager.all(), node, faults)
    if not nodes:
        return None
    try:
        return RouteTree.compile(_rooted(nodes))
    except RouteError as refused:
        faults.append(Fault("route", refused.route_id, "", refused.message))
        return None


def _rooted(nodes: Sequence[RouteNode]) -> list[RouteNode]:
    """The nodes whose way up to a root is whole."""
    known = {node.id: node for node in nodes}

    def is_whole(node: RouteNode) -> bool:
        for _ in range(len(nodes)):
            if node.parent_id is None:
                return True
            if node.parent_id not in known:
                return False
            node = known[node.parent_id]
        return False

    return [node for node in nodes if is_whole(node)]


def _destination(channel: Channel, faults: list[Fault]) -> Destination:
    recipients: tuple[str, ...] = ()
    idempotent = False
    try:
        adapter = registry.adapter(channel.kind)
        idempotent = adapter.idempotent
        recipients = tuple(dict.fromkeys(adapter.recipients(adapter.settings_from(channel.settings))))
    except (ValueError, UnknownKind, InvalidSettings) as refused:
        faults.append(_fault(channel, refused))
    return Destination(
        id=channel.pk,
        name=channel.name,
        kind=channel.kind,
        recipients=recipients,
        send_resolved=channel.send_resolved,
        is_active=channel.is_active,
        locale=channel.locale,
        idempotent=idempotent,
    )
