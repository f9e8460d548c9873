"""JMESPath that a tenant wrote, evaluated so that no expression can eat a worker."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jmespath
from django.utils.translation import gettext as _
from jmespath import exceptions, visitor

MAX_EXPRESSION = 500
#: How many copies of its input an expression can make at most, were it to keep them all.
MAX_COPIES = 256
#: For one answer, whatever the number of expressions; about a second.
MAX_STEPS = 1_000_000
SELECTIONS = frozenset({"multi_select_list", "multi_select_dict"})
#: It writes out every copy of what it is given.
FORBIDDEN = frozenset({"to_string"})


class ExpressionError(ValueError):
    """The expression cannot be used; the text says why."""


class _Counting(visitor.TreeInterpreter):
    """Evaluates with a budget of steps, in which elements that a flattening copies count too."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def visit(self, node: Any, *args: Any, **options: Any) -> Any:
        self._count(1)
        return super().visit(node, *args, **options)

    def visit_flatten(self, node: Any, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        # Counted before it is made: a list of many copies is small, what it flattens to is not.
        self._count(sum(len(element) if isinstance(element, list) else 1 for element in base))
        flat: list[Any] = []
        for element in base:
            flat.extend(element if isinstance(element, list) else [element])
        return flat

    def _count(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise ExpressionError(_("The expression takes too many steps on this answer."))


@lru_cache(maxsize=1024)
def compiled(expression: str) -> Any:
    """Return a parsed expression or raise `ExpressionError`."""
    if len(expression) > MAX_EXPRESSION:
        raise ExpressionError(_("The expression is too long."))
    try:
        parsed = jmespath.compile(expression)
    except (exceptions.JMESPathError, RecursionError) as error:
        raise ExpressionError(_("This is not JMESPath: %(why)s") % {"why": str(error)[:200]}) from None
    if _copies(parsed.parsed) > MAX_COPIES:
        raise ExpressionError(_("The expression copies its input too often."))
    return parsed


def fault_of(expression: str) -> str:
    """Return what is wrong with an expression, empty when nothing is."""
    try:
        compiled(expression)
    except ExpressionError as error:
        return str(error)
    return ""


class Searcher:
    """Finds things in one answer, with one budget for all expressions."""

    def __init__(self) -> None:
        self._interpreter = _Counting()

    def find(self, expression: str, value: object) -> Any:
        """Return what an expression finds in a value; raises `ExpressionError`."""
        parsed = compiled(expression).parsed
        try:
            return self._interpreter.visit(parsed, value)
        except ExpressionError:
            raise
        except (exceptions.JMESPathError, TypeError, ValueError, OverflowError, RecursionError) as error:
            detail = _("The expression does not fit the answer: %(why)s") % {"why": str(error)[:200]}
            raise ExpressionError(detail) from None


def _copies(node: Any) -> int:
    """Bound how many times larger than its input a result can become.

    Each multi-select may hold the value before it once for every branch, and what follows doubles it again: the
    product over all of them bounds what any reader of the result has to walk through.
    """
    if node["type"] == "function_expression" and node["value"] in FORBIDDEN:
        raise ExpressionError(_("The function %(name)s is not available here.") % {"name": node["value"]})
    children = [child for child in node["children"] if isinstance(child, dict)]
    total = max(len(children), 1) if node["type"] in SELECTIONS else 1
    for child in children:
        total *= _copies(child)
        if total > MAX_COPIES:
            return total
    return total
