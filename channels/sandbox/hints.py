"""Finds names in a template that no message has: they render empty, so nothing else would tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache

from jinja2 import meta, nodes

from channels.message import AlertLine, Link, Message, PlannedWork
from channels.sandbox import checking
from channels.sandbox.checking import Problem
from channels.sandbox.context import build_context
from channels.sandbox.environment import environment
from channels.sandbox.words import gettext_noop as _

MAX_HINTS = 20
#: Their names are the tenant's own.
FREE = frozenset({"labels", "annotations"})
UNKNOWN = _("No message has %(name)s: nothing stands there.")
MEANT = _("No message has %(name)s: nothing stands there. Is %(other)s meant?")


def find_hints(content_type: str, source: str) -> list[Problem]:
    """Return what renders empty by mistake, by line, each name once; nothing for a template that is refused anyway."""
    sandbox = environment(content_type)
    tree, _problems = checking.parse(sandbox, source)
    if tree is None:
        return []
    found: dict[str, Problem] = {}
    for problem in [*_variables(tree, frozenset(sandbox.globals)), *_attributes(tree)]:
        found.setdefault(problem.name, problem)
    return sorted(found.values(), key=lambda problem: problem.line)[:MAX_HINTS]


def _variables(tree: nodes.Template, functions: frozenset[str]) -> Iterator[Problem]:
    known = functions | _forms()[""]
    unknown = meta.find_undeclared_variables(tree) - known
    for node in tree.find_all(nodes.Name):
        if node.name in unknown:
            yield _problem(node.lineno, "", node.name, known)


def _attributes(tree: nodes.Template) -> Iterator[Problem]:
    forms, own = dict(_forms()), {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    for name in own:
        forms.pop(name, None)
    for loop in tree.find_all(nodes.For):
        # `for alert in alerts[:10]`: what runs through a list of ours has the names of its rows.
        if isinstance(loop.target, nodes.Name) and (rows := forms.get(f"{_listed(loop.iter)}[]")):
            forms[loop.target.name] = rows
    for node in tree.find_all(nodes.Getattr):
        base = node.node
        if not isinstance(base, nodes.Name) or not (known := forms.get(base.name)):
            continue
        if node.attr not in known and node.attr not in checking.METHODS:
            yield _problem(node.lineno, f"{base.name}.", node.attr, known)


def _listed(node: nodes.Node | None) -> str:
    while isinstance(node, nodes.Getitem | nodes.Filter):
        node = node.node
    return node.name if isinstance(node, nodes.Name) else ""


def _problem(line: int, before: str, name: str, known: frozenset[str]) -> Problem:
    close = get_close_matches(name, sorted(known), 1)
    if not close:
        return Problem(line, UNKNOWN, f"{before}{name}"[:60])
    return Problem(line, MEANT, f"{before}{name}"[:60], f"{before}{close[0]}"[:60])


@cache
def _forms() -> Mapping[str, frozenset[str]]:
    """Return the names there are: variables under the empty name, what is in one, and in rows of a list as `name[]`."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    full = build_context(
        Message(
            title="t",
            created_at=at,
            alerts=[AlertLine(fingerprint="f", status="firing")],
            links=[Link(text="t", url="https://example.com")],
            planned=[PlannedWork(id="i", name="n", starts_at=at, ends_at=at)],
        )
    )
    forms = {"": frozenset(full)}
    for name, value in full.items():
        if isinstance(value, dict) and name not in FREE:
            forms[name] = frozenset(value)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            forms[f"{name}[]"] = frozenset(value[0])
    return forms
