"""The route tree: which timers, channels and escalation policy an alert gets, and why."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from alerting.matchers import Matcher, MatcherIndex, first_failing

MAX_DEPTH: Final = 32


class RouteError(ValueError):
    """Rows that are no tree; the message says which row and what to do."""

    def __init__(self, message: str, route_id: UUID | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.route_id = route_id


class Timers(msgspec.Struct, frozen=True):
    """When a group is told: first, about changes, and again."""

    group_wait: timedelta = timedelta(seconds=30)
    group_interval: timedelta = timedelta(minutes=5)
    repeat_interval: timedelta = timedelta(hours=4)


DEFAULT_TIMERS: Final = Timers()


class RouteNode(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the tree. What is None or empty is inherited from the parent."""

    id: UUID
    name: str
    parent_id: UUID | None = None
    position: int = 0
    matchers: tuple[Matcher, ...] = ()
    continue_: bool = False
    group_wait: timedelta | None = None
    group_interval: timedelta | None = None
    repeat_interval: timedelta | None = None
    channel_ids: tuple[UUID, ...] = ()
    policy_id: UUID | None = None


class Route(msgspec.Struct, frozen=True):
    """A node with everything inherited filled in: what an alert is routed to."""

    id: UUID
    name: str
    path: tuple[str, ...]
    timers: Timers
    channel_ids: tuple[UUID, ...]
    policy_id: UUID | None


class Verdict(StrEnum):
    """What the tree decided at one node."""

    TAKEN = "taken"
    PASSED_ON = "passed_on"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


class Decision(msgspec.Struct, frozen=True):
    """One node as explain shows it; children are listed only where the alert came by."""

    route: Route
    verdict: Verdict
    failed: Matcher | None = None
    children: tuple["Decision", ...] = ()


class _Branch:
    """A compiled node."""

    __slots__ = ("children", "continue_", "index", "matchers", "route")

    def __init__(self, node: RouteNode, route: Route, children: tuple["_Branch", ...]) -> None:
        self.matchers = node.matchers
        self.continue_ = node.continue_
        self.route = route
        self.children = children
        self.index: MatcherIndex[_Branch] | None = MatcherIndex(children) if children else None

    def collect(self, labels: Mapping[str, str], found: list[Route]) -> None:
        taken = False
        if self.index is not None:
            for child in self.index.matches(labels):
                taken = True
                child.collect(labels, found)
                if not child.continue_:
                    break
        if not taken:
            found.append(self.route)

    def decide(self, labels: Mapping[str, str]) -> Decision:
        failed = first_failing(self.matchers, labels)
        if failed is not None:
            return Decision(self.route, Verdict.FAILED, failed)
        children: list[Decision] = []
        taken = stopped = False
        for child in self.children:
            if stopped:
                children.append(Decision(child.route, Verdict.NOT_TRIED))
                continue
            decision = child.decide(labels)
            children.append(decision)
            if decision.verdict is not Verdict.FAILED:
                taken, stopped = True, not child.continue_
        return Decision(
            self.route,
            Verdict.PASSED_ON if taken else Verdict.TAKEN,
            None,
            tuple(children),
        )


class RouteTree:
    """Alertmanager's meaning: children in order, the first that matches takes the alert unless it says
    continue, and where no child matches the node itself is the route."""

    __slots__ = ("_root",)

    def __init__(self, root: _Branch) -> None:
        self._root = root

    @classmethod
    def compile(cls, rows: Iterable[RouteNode], defaults: Timers = DEFAULT_TIMERS) -> "RouteTree":
        """Build the tree, or raise RouteError: one root that takes every alert, no circles, no orphans."""
        nodes = {row.id: row for row in rows}
        children: dict[UUID | None, list[RouteNode]] = defaultdict(list)
        for node in nodes.values():
            children[node.parent_id].append(node)
        for siblings in children.values():
            siblings.sort(key=lambda node: (node.position, node.id))
        root = _check_root(children[None])
        _check_connected(nodes)
        top = Route(root.id, root.name, (), defaults, (), None)
        return cls(_compile(root, top, children, depth=1))

    @property
    def root(self) -> Route:
        """The route of what no other takes."""
        return self._root.route

    def route(self, labels: Mapping[str, str]) -> list[Route]:
        """The routes of an alert, at least one: the root takes what no other does."""
        found: list[Route] = []
        self._root.collect(labels, found)
        return found

    def trace(self, labels: Mapping[str, str]) -> Decision:
        """Every decision on the way, with the matcher that failed on each branch not taken."""
        return self._root.decide(labels)


def _compile(
    node: RouteNode,
    parent: Route,
    children: Mapping[UUID | None, list[RouteNode]],
    *,
    depth: int,
) -> _Branch:
    if depth > MAX_DEPTH:
        message = _("Route %(name)s lies deeper than %(limit)d levels. Move it up.")
        raise RouteError(message % {"name": node.name, "limit": MAX_DEPTH}, node.id)
    route = _inherit(node, parent)
    below = tuple(_compile(child, route, children, depth=depth + 1) for child in children.get(node.id, ()))
    return _Branch(node, route, below)


def _inherit(node: RouteNode, parent: Route) -> Route:
    given = parent.timers
    timers = Timers(
        group_wait=given.group_wait if node.group_wait is None else node.group_wait,
        group_interval=given.group_interval if node.group_interval is None else node.group_interval,
        repeat_interval=given.repeat_interval if node.repeat_interval is None else node.repeat_interval,
    )
    return Route(
        id=node.id,
        name=node.name,
        path=(*parent.path, node.name),
        timers=timers,
        channel_ids=node.channel_ids or parent.channel_ids,
        policy_id=parent.policy_id if node.policy_id is None else node.policy_id,
    )


def _check_root(roots: list[RouteNode]) -> RouteNode:
    if not roots:
        raise RouteError(_("The route tree has no root. Add a route without a parent, which takes every alert."))
    if len(roots) > 1:
        message = _("The routes %(names)s have no parent; only one may. Put the others below it.")
        raise RouteError(message % {"names": ", ".join(node.name for node in roots)}, roots[1].id)
    if roots[0].matchers:
        message = _("The root route %(name)s takes every alert, so it has no matchers. Put them on a route below it.")
        raise RouteError(message % {"name": roots[0].name}, roots[0].id)
    return roots[0]


def _check_connected(nodes: Mapping[UUID, RouteNode]) -> None:
    """Follow each row up to the root once; a row met twice on the way is a circle."""
    good: set[UUID] = set()
    for node in nodes.values():
        way: list[UUID] = []
        seen: set[UUID] = set()
        here = node
        while here.id not in good:
            if here.id in seen:
                circle = [nodes[one].name for one in way[way.index(here.id) :]]
                message = _("The routes %(names)s are each other's parents. Give one of them another parent.")
                raise RouteError(message % {"names": ", ".join(circle)}, here.id)
            way.append(here.id)
            seen.add(here.id)
            if here.parent_id is None:
                break
            if here.parent_id not in nodes:
                message = _("The parent of route %(name)s does not exist. Give it another parent.")
                raise RouteError(message % {"name": here.name}, here.id)
            here = nodes[here.parent_id]
        good.update(way)
