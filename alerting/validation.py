"""Judges configuration as a whole row before it is saved, for the REST API and the admin forms alike."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from alerting import grouping, routing
from alerting.enrichment.base import StepError
from alerting.enrichment.registry import compile_step
from alerting.escalation.checking import check_policy as check_escalation_policy
from alerting.matchers import MatcherError, from_json, matches_everything
from alerting.models import (
    AlertingPolicy,
    ContactMethod,
    EnrichmentStep,
    EscalationPolicy,
    GroupingRule,
    InhibitionRule,
    LanguageModel,
    MaintenanceWindow,
    NotificationRule,
    OnCallSchedule,
    Route,
    ScheduleOverride,
    Silence,
)
from alerting.muting import MaintenanceWindow as Window
from alerting.muting import WindowError
from alerting.oncall import checking as on_call
from channels.egress import EgressError, check_url
from channels.egress.policy import current_policy
from tenants.models import Tenant

MAX_ROUTES: Final = 1_000
MAX_SILENCE: Final = timedelta(days=366)
#: How long each timer of a route may be; shorter repeats would be noise, longer ones a mistake.
TIMERS: Final = {
    "group_wait": (timedelta(0), timedelta(hours=1)),
    "group_interval": (timedelta(seconds=1), timedelta(days=1)),
    "repeat_interval": (timedelta(minutes=1), timedelta(days=31)),
}


def check(instance: models.Model) -> None:
    """Raise Django's ValidationError by field for whatever this kind of row must not be."""
    judge = _JUDGES.get(type(instance))
    if judge is not None:
        judge(instance)


def check_matchers(value: object, field: str = "matchers") -> None:
    """Raise ValidationError unless this is a usable list of matchers."""
    try:
        from_json(value, field)
    except MatcherError as error:
        raise ValidationError({field: f"{error.field}: {error.message}"}) from error


def check_silence(silence: Silence) -> None:
    """A silence has matchers, an order of times, and does not last for ever."""
    check_matchers(silence.matchers)
    if not silence.matchers:
        raise ValidationError({"matchers": _("Say what to mute: at least one matcher.")})
    # A start left out is the database's now().
    starts_at = silence.starts_at
    if isinstance(starts_at, datetime) and silence.ends_at <= starts_at:
        raise ValidationError({"ends_at": _("A silence ends after it begins.")})
    if isinstance(starts_at, datetime) and silence.ends_at - starts_at > MAX_SILENCE:
        raise ValidationError({"ends_at": _("A silence lasts at most a year; use a maintenance window or a route.")})


def needs_confirmation(silence: Silence) -> bool:
    """Whether it would mute everything, so that a person has to type the tenant's slug."""
    return matches_everything(from_json(silence.matchers))


def check_route(route: Route) -> None:
    """The tree with this row in it must be a tree: one root, no circle, not too deep."""
    check_matchers(route.matchers)
    _check_timers(route)
    others = Route._default_manager.exclude(pk=route.pk).values_list("id", "name", "parent_id", "position")[
        : MAX_ROUTES + 1
    ]
    nodes = [routing.RouteNode(id=id_, name=name, parent_id=up, position=at) for id_, name, up, at in others]
    if len(nodes) >= MAX_ROUTES:
        raise ValidationError({"parent": _("A tenant has at most %(limit)d routes.") % {"limit": MAX_ROUTES}})
    matchers = from_json(route.matchers)
    mine = routing.RouteNode(id=route.pk, name=route.name, parent_id=route.parent_id, matchers=matchers)
    try:
        routing.RouteTree.compile([*nodes, mine])
    except routing.RouteError as error:
        field = "matchers" if route.parent_id is None and route.matchers else "parent"
        raise ValidationError({field: error.message}) from error


def _check_timers(route: Route) -> None:
    faults = {}
    for field, (lowest, highest) in TIMERS.items():
        value: timedelta | None = getattr(route, field)
        if value is not None and not lowest <= value <= highest:
            message = _("Choose from %(lowest)d to %(highest)d seconds.")
            faults[field] = message % {"lowest": lowest.total_seconds(), "highest": highest.total_seconds()}
    if faults:
        raise ValidationError(faults)


def check_grouping_rule(rule: GroupingRule) -> None:
    """Matchers and label names."""
    check_matchers(rule.matchers)
    try:
        rule.group_by = list(grouping.check_group_by(rule.group_by))
    except grouping.GroupingError as error:
        raise ValidationError({"group_by": error.message}) from error


def check_enrichment_step(step: EnrichmentStep) -> None:
    """The kind exists and takes these settings."""
    check_matchers(step.matchers)
    time_zone = Tenant.objects.values_list("time_zone", flat=True).get(pk=step.tenant_id)
    try:
        compile_step(step.kind, step.settings, time_zone)
    except StepError as error:
        if error.field == "kind":
            raise ValidationError({"kind": error.message}) from error
        message = f"{error.field}: {error.message}" if error.field else error.message
        raise ValidationError({"settings": message}) from error


def check_inhibition_rule(rule: InhibitionRule) -> None:
    """Both sides select something, else one alert could mute all others."""
    for field in ("source_matchers", "target_matchers"):
        matchers = getattr(rule, field)
        check_matchers(matchers, field)
        if not matchers:
            raise ValidationError({field: _("Give at least one matcher.")})
    if len(rule.equal) > grouping.MAX_GROUP_BY or not all(rule.equal):
        message = _("Give at most %(limit)d label names.") % {"limit": grouping.MAX_GROUP_BY}
        raise ValidationError({"equal": message})


def window_of(row: MaintenanceWindow, tenant_zone: str) -> Window:
    """The window a row describes; raises WindowError."""
    return Window(
        id=row.pk,
        name=row.name,
        matchers=from_json(row.matchers),
        starts_at=datetime.combine(row.start_date, row.start_time.replace(tzinfo=None)),
        duration=row.duration,
        time_zone=row.time_zone or tenant_zone,
        rrule=row.rrule,
    )


_WINDOW_FIELDS: Final = {"starts_at": "start_date"}


def check_maintenance_window(row: MaintenanceWindow) -> None:
    """Its rule can be read, happens at all but not too often, and leaves times in which it is closed."""
    check_matchers(row.matchers)
    tenant_zone = Tenant.objects.values_list("time_zone", flat=True).get(pk=row.tenant_id)
    try:
        window = window_of(row, tenant_zone)
        window.check()
        if row.is_active:
            window.check_closes()
    except WindowError as error:
        raise ValidationError({_WINDOW_FIELDS.get(error.field, error.field): error.message}) from error


def check_policy(policy: AlertingPolicy) -> None:
    """Times within bounds, and flapping that can end."""
    bounds = {
        "stale_after": (timedelta(minutes=1), timedelta(days=31)),
        "flap_window": (timedelta(minutes=1), timedelta(days=1)),
    }
    for field, (lowest, highest) in bounds.items():
        if not lowest <= getattr(policy, field) <= highest:
            message = _("Choose from %(lowest)d to %(highest)d seconds.")
            values = {"lowest": lowest.total_seconds(), "highest": highest.total_seconds()}
            raise ValidationError({field: message % values})
    if policy.flap_leave >= policy.flap_enter:
        raise ValidationError({"flap_leave": _("Flapping must end at fewer changes than it starts at.")})
    if len(policy.ignored_labels) > 64:
        raise ValidationError({"ignored_labels": _("At most %(limit)d labels.") % {"limit": 64}})


def check_assistant(row: LanguageModel) -> None:
    """An address the service may reach, and a model's name once it is switched on."""
    try:
        check_url(row.url, current_policy())
    except EgressError as error:
        raise ValidationError({"url": str(error)}) from error
    if not row.model.strip():
        raise ValidationError({"model": _("Name the model.")})


_JUDGES: Final[dict[type[models.Model], Callable[[Any], None]]] = {
    AlertingPolicy: check_policy,
    LanguageModel: check_assistant,
    ContactMethod: on_call.check_contact,
    EscalationPolicy: check_escalation_policy,
    NotificationRule: on_call.check_rule,
    OnCallSchedule: on_call.check_schedule,
    ScheduleOverride: on_call.check_override,
    EnrichmentStep: check_enrichment_step,
    GroupingRule: check_grouping_rule,
    InhibitionRule: check_inhibition_rule,
    MaintenanceWindow: check_maintenance_window,
    Route: check_route,
    Silence: check_silence,
}
