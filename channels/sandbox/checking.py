"""Reads a template's syntax tree and says what in it is not allowed, with the line."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from jinja2 import Environment, TemplateSyntaxError, nodes

from channels.languages.catalogue import SOURCE, catalogue
from channels.languages.phrase import COUNT
from channels.sandbox.budget import MAX_DEPTH, MAX_LOOP_DEPTH, MAX_NODES, MAX_SOURCE
from channels.sandbox.words import gettext_noop as _

TOO_DEEP = _("The template is too big or nested too deeply.")
FINE = ("", "")
METHODS = {
    "get", "items", "keys", "values",
    "lower", "upper", "strip", "split", "startswith", "endswith", "title",
}  # fmt: skip
DENIED: dict[type[nodes.Node], str] = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Include: "include",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.FilterBlock: "filter block",
    nodes.AssignBlock: "set block",
    nodes.NSRef: "namespace",
    nodes.Concat: "~",
    nodes.Pow: "**",
    nodes.EvalContextModifier: "autoescape",
    nodes.ScopedEvalContextModifier: "autoescape",
}


class Problem(msgspec.Struct, frozen=True):
    """Something that a template may not do, or a mistake in it.

    `text` may hold %(name)s and %(other)s, for it is translated only where it is shown.
    """

    line: int
    text: str
    name: str = ""
    other: str = ""

    def __str__(self) -> str:
        return self.text % {"name": self.name, "other": self.other} if self.name else self.text


def parse(environment: Environment, source: str) -> tuple[nodes.Template | None, list[Problem]]:
    """Return the tree when it is allowed, else what is wrong."""
    if len(source) > MAX_SOURCE:
        return None, [Problem(1, _("The template is longer than %(name)s characters."), str(MAX_SOURCE))]
    try:
        tree = environment.parse(source)
    except TemplateSyntaxError as error:
        return None, [Problem(error.lineno, str(error.message))]
    except (RecursionError, MemoryError):
        return None, [Problem(1, TOO_DEEP)]
    problems = list(_check(environment, tree))
    return (None if problems else tree), problems


def _check(environment: Environment, tree: nodes.Template) -> Iterator[Problem]:
    # A stack of our own: the tree may be deeper than Python recurses.
    waiting: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    seen = 0
    while waiting:
        node, depth, loops = waiting.pop()
        seen += 1
        if seen > MAX_NODES or depth > MAX_DEPTH:
            yield Problem(node.lineno or 1, TOO_DEEP)
            return
        loops += isinstance(node, nodes.For)
        text, name = _fault(environment, node, loops)
        if text:
            yield Problem(node.lineno or 1, text, name)
            continue
        waiting.extend((child, depth + 1, loops) for child in node.iter_child_nodes())


def _fault(environment: Environment, node: nodes.Node, loops: int) -> tuple[str, str]:
    denied = DENIED.get(type(node))
    if denied is not None:
        return _("%(name)s is not allowed in a template."), denied
    if isinstance(node, nodes.For):
        if loops > MAX_LOOP_DEPTH:
            return _("Loops may be two deep at most."), ""
        return (_("A recursive loop is not allowed."), "") if node.recursive else FINE
    if isinstance(node, nodes.Filter):
        return _unknown(_("There is no filter named %(name)s."), node.name, environment.filters)
    if isinstance(node, nodes.Test):
        return _unknown(_("There is no test named %(name)s."), node.name, environment.tests)
    if isinstance(node, nodes.Call):
        return _call_fault(environment, node)
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        return _("A name that begins with an underscore is not allowed."), ""
    return FINE


def _call_fault(environment: Environment, node: nodes.Call) -> tuple[str, str]:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        return _("Arguments with * are not allowed."), ""
    called = node.node
    if isinstance(called, nodes.Name) and called.name in environment.globals:
        return _phrase_fault(node) if called.name == "t" else FINE
    if not isinstance(called, nodes.Getattr) or called.attr not in METHODS:
        return _("This function is not allowed in a template."), ""
    return FINE


def _phrase_fault(node: nodes.Call) -> tuple[str, str]:
    """A key must be written out and known, so that what a template says is sure before it is saved."""
    key = node.args[0] if len(node.args) == 1 else None
    if not isinstance(key, nodes.Const) or not isinstance(key.value, str):
        return _("t() takes the key of a phrase in quotes, then named values."), ""
    phrase = catalogue(SOURCE).get(key.value)
    if phrase is None:
        return _("There is no phrase named %(name)s."), key.value[:60]
    given = {argument.key for argument in node.kwargs} | {COUNT}
    missing = sorted(phrase.names - given)
    return (_("This phrase needs the value %(name)s."), missing[0]) if missing else FINE


def _unknown(text: str, name: str, known: object) -> tuple[str, str]:
    # Names with an underscore in front are ours, put in after this check.
    if isinstance(known, dict) and name in known and not name.startswith("_"):
        return FINE
    return text, name[:40]
