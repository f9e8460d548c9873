"""Renders for a send: the tenant's template, else the built-in one, else a bare text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from channels.languages import NOBODYS_WORDS, TenantWords, Voice, current, voice_of
from channels.message import Message, Rendered
from channels.registry import adapter
from channels.sandbox.context import build_context
from channels.sandbox.environment import RenderFailed
from channels.sandbox.environment import render as render_tenant
from channels.templating.builtin import render_builtin
from channels.templating.plain import plain_part

log = structlog.get_logger(__name__)
MAX_REASON = 300


def render(kind: str, sources: Mapping[str, str], message: Message, words: TenantWords = NOBODYS_WORDS) -> Rendered:
    """Return every part that the kind of channel wants, in the message's language. Never raises for a bad template.

    `sources` are the tenant's templates by part; a part left out or blank is built in.
    `degraded_reason` says which part is not what the tenant wrote, and why.
    """
    voice = voice_of(message, kind, words)
    token = current.set(voice)
    try:
        return _render(kind, sources, message, voice)
    finally:
        current.reset(token)


def _render(kind: str, sources: Mapping[str, str], message: Message, voice: Voice) -> Rendered:
    context = build_context(message, voice)
    parts, reasons = {}, []
    for part, content_type in adapter(kind).parts.items():
        source = sources.get(part) or ""
        if source.strip():
            try:
                parts[part] = render_tenant(content_type, source, context)
                continue
            except RenderFailed as error:
                reasons.append(f"{part}: {error}")
        parts[part], reason = _fall_back(kind, part, content_type, context, message, voice)
        reasons += [reason] if reason else []
    return Rendered(parts=parts, degraded_reason="; ".join(reasons)[:MAX_REASON], voice=voice)


def _fall_back(
    kind: str, part: str, content_type: str, context: Mapping[str, Any], message: Message, voice: Voice
) -> tuple[str, str]:
    try:
        return render_builtin(kind, part, content_type, context), ""
    except Exception as error:
        # An alert is never lost to a template, not even to one of ours.
        log.exception("builtin_template_failed", kind=kind, part=part)
        return plain_part(content_type, message, voice), f"{part}: {type(error).__name__}"
