"""Turns a message into the texts of a channel; a template that fails never stops a delivery."""

from channels.templating.preview import Preview, check_parts, hints_of, preview
from channels.templating.render import render

__all__ = ["Preview", "check_parts", "hints_of", "preview", "render"]
