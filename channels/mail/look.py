"""Makes HTML of a mail written as MJML; what Jinja2 fills in stays as it is."""

from __future__ import annotations

import re

import mrml

SPACES = re.compile(r"\s*\n\s*")
# On yellow, white cannot be read.
HEAD = (
    "{% set accent = severity_number|colour(status) %}"
    '{% set on_accent = "#3b2600" if accent == "#eaaa08" else "#ffffff" %}'
)


def compile_mjml(source: str) -> str:
    """Return a Jinja2 template in HTML that every mail program draws; loads nothing from elsewhere."""
    options = mrml.RenderOptions(disable_comments=True, fonts={})
    # Each mail carries it all, so nothing stays that is only there for whoever reads the source.
    return HEAD + SPACES.sub("\n", str(mrml.to_html(source, None, options).content))
