"""How much work and text one rendering may use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

from channels.sandbox.words import gettext_noop as _

#: The built-in mail, compiled, takes two thirds of it: there must be room to add to a copy.
MAX_SOURCE = 30_000
MAX_NODES = 2_000
MAX_DEPTH = 40
MAX_LOOP_DEPTH = 2
MAX_STEPS = 20_000
MAX_STRING = 8_192
MAX_OUTPUT = 100_000
MAX_NUMBER = 10**15


TOO_LONG = _("A text grows too long.")


class BudgetExceeded(Exception):
    """A template wants more work or text than one message may cost."""


class Budget:
    """The steps of loops that are left in one rendering."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.steps = steps

    def spend(self, steps: int = 1) -> None:
        """Take steps or raise `BudgetExceeded`."""
        self.steps -= steps
        if self.steps < 0:
            raise BudgetExceeded(_("The loops of the template take too many steps."))


current: ContextVar[Budget | None] = ContextVar("template_budget", default=None)


def count_steps(items: Iterable[Any]) -> Iterator[Any]:
    """Yield the items of a loop, each for one step of the current budget."""
    budget = current.get()
    for item in items:
        if budget is not None:
            budget.spend()
        yield item


def bounded(text: str) -> str:
    """Return the text or raise `BudgetExceeded` when it is too long for one value."""
    if len(text) > MAX_STRING:
        raise BudgetExceeded(TOO_LONG)
    return text
