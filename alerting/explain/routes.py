"""The route, told: the whole tree, the way the alert takes, and the matcher that failed on each branch not taken."""

from collections.abc import Mapping
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting.configuration import Compiled, Destination
from alerting.explain.story import Detail, Step, StepKind, Verdict
from alerting.explain.words import listed, mismatch, span
from alerting.routing import Decision, Route, Timers
from alerting.routing import Verdict as Way


def route(configuration: Compiled, labels: Mapping[str, str]) -> Step:
    """The step of the route tree."""
    if configuration.routes is None:
        return Step(
            kind=StepKind.ROUTE,
            verdict=Verdict.FAULT,
            title=_("Route"),
            sentence=_("There is no route that can be used, so nobody can be told. Add one that takes every alert."),
        )
    taken = configuration.routes.route(labels)
    tree = _node(configuration.routes.trace(labels), configuration, labels)
    paths = [" › ".join(one.path) for one in taken]
    sentence = ngettext(
        "It takes the route %(paths)s.", "It takes %(count)d routes: %(paths)s.", len(paths)
    ) % {"paths": listed(paths), "count": len(paths)}  # fmt: skip
    if not any(one.channel_ids for one in taken):
        calls = any(one.policy_id is not None for one in taken)
        without = _("No channel is set there; its escalation policy calls people.")
        sentence += " " + (without if calls else _("No channel is set there, so nobody is told."))
        return Step(
            kind=StepKind.ROUTE, verdict=Verdict.QUIET, title=_("Route"), sentence=sentence, details=(tree,)
        )  # fmt: skip
    return Step(kind=StepKind.ROUTE, verdict=Verdict.PASSED, title=_("Route"), sentence=sentence, details=(tree,))


def _node(decision: Decision, configuration: Compiled, labels: Mapping[str, str]) -> Detail:
    verdict, sentence = _told(decision, configuration.channels, labels)
    data: dict[str, object] = {"path": list(decision.route.path)}
    if decision.failed is not None:
        data |= {"failed": str(decision.failed), "seen": labels.get(decision.failed.name, "")}
    if decision.verdict is Way.TAKEN:
        data |= {"timers": _seconds(decision.route.timers)}
    return Detail(
        verdict=verdict,
        code=decision.verdict.value,
        subject="route",
        id=decision.route.id,
        name=decision.route.name,
        sentence=sentence,
        data=data,
        details=tuple(_node(child, configuration, labels) for child in decision.children),
    )


def _told(decision: Decision, channels: Mapping[UUID, Destination], labels: Mapping[str, str]) -> tuple[Verdict, str]:
    if decision.verdict is Way.TAKEN:
        return Verdict.PASSED, _taken(decision.route, channels)
    if decision.verdict is Way.PASSED_ON:
        return Verdict.PASSED, _("fits; a route below it takes the alert")
    if decision.verdict is Way.NOT_TRIED:
        return Verdict.MISSED, _("not tried: a route before it took the alert")
    if decision.failed is None:
        return Verdict.MISSED, _("does not fit")
    return Verdict.MISSED, _("does not fit: %(why)s") % {"why": mismatch(decision.failed, labels)}


def _taken(route: Route, channels: Mapping[UUID, Destination]) -> str:
    names = [channels[one].name for one in route.channel_ids if one in channels]
    if not names:
        return _("takes it, and has no channel") if route.policy_id is None else _("takes it, and only calls people")
    return _("takes it, and tells %(channels)s") % {"channels": listed(names)}


def waits(timers: Timers) -> str:
    """The three timers in one sentence."""
    if timers.group_wait:
        sentence = _(
            "The first message waits %(wait)s for companions, changes are told every %(interval)s,"
            " and what still fires is told again after %(repeat)s."
        )
    else:
        sentence = _(
            "The first message waits for nothing, changes are told every %(interval)s,"
            " and what still fires is told again after %(repeat)s."
        )
    return sentence % {
        "wait": span(timers.group_wait),
        "interval": span(timers.group_interval),
        "repeat": span(timers.repeat_interval),
    }


def _seconds(timers: Timers) -> dict[str, float]:
    return {
        "group_wait": timers.group_wait.total_seconds(),
        "group_interval": timers.group_interval.total_seconds(),
        "repeat_interval": timers.repeat_interval.total_seconds(),
    }
