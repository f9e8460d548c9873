"""The Jinja environment in which tenants' templates run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from channels.sandbox import checking, layout
from channels.sandbox.budget import (
    MAX_NUMBER,
    MAX_OUTPUT,
    Budget,
    BudgetExceeded,
    bounded,
    count_steps,
    current,
)
from channels.sandbox.filters import Ready, allowed_filters, allowed_tests, pairs
from channels.sandbox.speech import Function, functions
from channels.sandbox.words import gettext_noop as _
from channels.sanitise import clean, escape_mrkdwn, one_line

COUNT_STEPS = "_count_steps"
ATTRIBUTES: dict[type, frozenset[str]] = {
    dict: frozenset({"get", "items", "keys", "values"}),
    str: frozenset({"lower", "upper", "strip", "split", "startswith", "endswith", "title"}),
    LoopContext: frozenset({"index", "index0", "first", "last", "length", "revindex", "previtem", "nextitem"}),
}
CACHED_TEMPLATES = 512
FUNCTIONS, LAYOUT = functions(), layout.functions()


def functions_of(content_type: str) -> dict[str, Function]:
    """Return what templates of a type may call; what is made of blocks has a function for each."""
    return FUNCTIONS | LAYOUT if content_type == "blocks" else dict(FUNCTIONS)


class RenderFailed(Exception):
    """A template was refused or broke; the problem says why in words a tenant may read."""

    def __init__(self, text: str, line: int = 1, name: str = "") -> None:
        self.problem = checking.Problem(line, text, name)
        super().__init__(str(self.problem))


class Refused(SecurityError):
    """The sandbox says no; `name` is what the sentence is about."""

    def __init__(self, text: str, name: str = "") -> None:
        super().__init__(text)
        self.name = name


class TenantEnvironment(ImmutableSandboxedEnvironment):
    """Knows only what is on a list: filters, tests, attributes and operators."""

    intercepted_binops = frozenset({"+", "-", "*", "**", "%", "//"})

    def __init__(self, content_type: str) -> None:
        super().__init__(
            autoescape=content_type == "html",
            finalize=FINALISERS[content_type],
            undefined=jinja2.ChainableUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            cache_size=0,
        )
        self.globals = dict[str, object](functions_of(content_type))
        self.filters = {**allowed_filters(), COUNT_STEPS: count_steps}
        self.tests = allowed_tests()

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Let numbers be reckoned with within bounds, and texts be added."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return bounded(str(left) + str(right))
        if operator == "**" or not (_is_number(left) and _is_number(right)):
            raise Refused(_("%(name)s is only for numbers."), operator)
        result = super().call_binop(context, operator, left, right)
        if abs(result) > MAX_NUMBER:
            raise BudgetExceeded(_("A number grows too big."))
        return result

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a listed attribute, or the item of that name."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, jinja2.Undefined):
            return obj
        if attribute in _listed(obj):
            return getattr(obj, attribute)
        if isinstance(obj, dict):
            return self.undefined(obj=obj, name=attribute)
        raise Refused(_("%(name)s is not allowed in a template."), attribute[:40])

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item by key, number or slice; never an attribute."""
        if isinstance(obj, jinja2.Undefined):
            return obj
        if not isinstance(obj, dict | list | tuple | str):
            raise Refused(_("This has no items."))
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=str(argument)[:40])

    def is_safe_callable(self, obj: Any) -> bool:
        """Say yes to our functions and to listed methods of texts and dicts, and to nothing else."""
        if isinstance(obj, Function):
            return True
        return getattr(obj, "__name__", "") in _listed(getattr(obj, "__self__", None))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Never hand out str.format."""
        if getattr(value, "__name__", "") in {"format", "format_map"}:
            raise Refused(_("%(name)s is not allowed in a template."), "format")
        return None


def render(content_type: str, source: str, context: Mapping[str, Any]) -> str:
    """Return the text of a tenant's template or raise `RenderFailed`."""
    template = compile_template(content_type, source)
    budget = current.set(Budget())
    try:
        return _collect(template, context)
    except Refused as error:
        raise RenderFailed(str(error), name=error.name) from None
    except (BudgetExceeded, jinja2.TemplateError) as error:
        raise RenderFailed(str(error)[:200]) from None
    except Exception as error:
        # Whatever a template brings about is the template's failure, RecursionError included.
        raise RenderFailed(_("The template failed: %(name)s."), name=type(error).__name__) from None
    finally:
        current.reset(budget)


def check_template(content_type: str, source: str) -> list[checking.Problem]:
    """Return what is wrong with a template, nothing when it may be saved."""
    tree, problems = checking.parse(environment(content_type), source)
    if tree is None:
        return problems
    try:
        compile_template(content_type, source)
    except RenderFailed as error:
        return [error.problem]
    return []


@lru_cache(maxsize=CACHED_TEMPLATES)
def compile_template(content_type: str, source: str) -> jinja2.Template:
    """Return the template with its loops counted, or raise `RenderFailed`."""
    tenant = environment(content_type)
    tree, problems = checking.parse(tenant, source)
    if tree is None:
        raise RenderFailed(problems[0].text, problems[0].line, problems[0].name)
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(loop.iter, COUNT_STEPS, [], [], None, None, lineno=loop.lineno, environment=tenant)
    try:
        code = tenant.compile(tree)
    except jinja2.TemplateSyntaxError as error:
        raise RenderFailed(str(error.message), error.lineno) from None
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError):
        raise RenderFailed(checking.TOO_DEEP) from None
    return jinja2.Template.from_code(tenant, code, tenant.globals)


@lru_cache(maxsize=8)
def environment(content_type: str) -> TenantEnvironment:
    """Return the shared environment for one type of text."""
    return TenantEnvironment(content_type)


def _collect(template: jinja2.Template, context: Mapping[str, Any]) -> str:
    pieces, length = [], 0
    for piece in template.generate(dict(context)):
        length += len(piece)
        if length > MAX_OUTPUT:
            raise BudgetExceeded(_("The text of the message is too long."))
        pieces.append(piece)
    return "".join(pieces)


def _listed(obj: Any) -> frozenset[str]:
    for kind, names in ATTRIBUTES.items():
        if isinstance(obj, kind):
            return names
    return frozenset()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, jinja2.Undefined):
        return ""
    if isinstance(value, Mapping):
        return pairs(value)
    if isinstance(value, list | tuple):
        return bounded(", ".join(str(item)[:200] for item in value[:100]))
    return value


def _finalise_text(value: Any) -> str:
    return clean(str(_plain(value)))


def _finalise_line(value: Any) -> str:
    return one_line(str(_plain(value)), 500)


def _finalise_mrkdwn(value: Any) -> str:
    if type(value) is str:
        return escape_mrkdwn(value)
    return value if isinstance(value, Ready) else escape_mrkdwn(str(_plain(value)))


def _finalise_html(value: Any) -> Any:
    return _plain(value)


FINALISERS: dict[str, Callable[[Any], Any]] = {
    "text": _finalise_text,
    "line": _finalise_line,
    "mrkdwn": _finalise_mrkdwn,
    "blocks": _finalise_mrkdwn,
    "html": _finalise_html,
    "json": _finalise_text,
}
