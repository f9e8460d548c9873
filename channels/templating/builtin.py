"""The templates that come with the service, compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jinja2

from channels.mail.look import compile_mjml
from channels.sandbox.environment import FINALISERS, functions_of
from channels.sandbox.filters import allowed_filters

SPOKEN = dict[str, Any](functions_of("text"))
ROOT = Path(__file__).resolve().parents[2] / "templates"


def render_builtin(kind: str, part: str, content_type: str, context: Mapping[str, Any]) -> str:
    """Return one part of the built-in template of a kind of channel."""
    if content_type == "blocks":
        return _constant(kind, part, content_type)
    template = _template(kind, part, content_type)
    # As `Template.render` does, without copying functions and variables into one more dict for each part.
    shared = template.new_context({**SPOKEN, **context}, shared=True)
    return "".join(template.root_render_func(shared)).strip()


@lru_cache(maxsize=8)
def _constant(kind: str, part: str, content_type: str) -> str:
    """A built-in layout names the standard parts and nothing of the message, so it is the same for all."""
    return _template(kind, part, content_type).render().strip()


class BuiltinEnvironment(jinja2.Environment):
    """Looks into dicts first, as the sandbox does: what stands in a template is nearly always an item."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the item of that name, else what Jinja finds."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def builtin_source(kind: str, part: str) -> str:
    """Return the text of a built-in template, to begin an own one with; empty when there is none."""
    return _load(f"{kind}/{part}.j2") or ""


def _load(name: str) -> str | None:
    """Return a template's text; one written as MJML is made into HTML here, once."""
    path = (ROOT / name).resolve()
    if not path.is_relative_to(ROOT):
        return None
    if path.is_file():
        return path.read_text(encoding="utf-8")
    written = path.with_suffix(".mjml")
    return compile_mjml(written.read_text(encoding="utf-8")) if written.is_file() else None


@lru_cache(maxsize=128)
def _template(kind: str, part: str, content_type: str) -> jinja2.Template:
    return _environment(content_type).get_template(f"{kind}/{part}.j2")


@cache
def _environment(content_type: str) -> jinja2.Environment:
    environment = BuiltinEnvironment(
        loader=jinja2.FunctionLoader(_load),
        autoescape=content_type == "html",  # the other types escape in their finaliser
        finalize=FINALISERS[content_type],
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters = {**environment.filters, **allowed_filters()}
    environment.globals = dict(functions_of(content_type))
    return environment
