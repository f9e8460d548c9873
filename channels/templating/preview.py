"""Tries templates before they are saved, and shows what they make of a message."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from channels.languages.overrides import words_here
from channels.message import Message, Rendered
from channels.registry import adapter
from channels.sandbox.checking import Problem
from channels.sandbox.child import Job
from channels.sandbox.hints import find_hints
from channels.templating.process import ChildFailed, render_in_child
from channels.templating.render import render
from channels.templating.samples import sample_message, worst_messages


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader would get; a part with a problem shows the built-in text.

    `notes` say more of it by their titles, such as the segments and the cost of an SMS. `drawing` is a page of HTML
    that shows the message as its reader sees it. `hints` are no faults: names that no message has render empty.
    """

    parts: dict[str, str]
    problems: dict[str, list[Problem]] = {}
    notes: dict[str, str] = {}
    drawing: str = ""
    hints: dict[str, list[Problem]] = {}


def preview(kind: str, sources: Mapping[str, str], message: Message | None = None) -> Preview:
    """Render in a child process, for the eyes of the person who edits."""
    message = message or sample_message()
    wanted = _wanted(kind, sources)
    built_in = render(kind, {}, message, words_here())
    parts, problems = _try(kind, wanted, [message])
    shown = msgspec.structs.replace(built_in, parts=built_in.parts | parts)
    return Preview(
        parts=shown.parts,
        problems=problems,
        notes=_notes(kind, shown.parts, message),
        drawing=_drawing(kind, shown, message),
        hints=hints_of(kind, sources),
    )


def hints_of(kind: str, sources: Mapping[str, str]) -> dict[str, list[Problem]]:
    """Return by part what renders empty by mistake: names that no message has, each with the one that may be meant."""
    types = adapter(kind).parts
    found = {part: find_hints(types[part], source) for part, source in _wanted(kind, sources).items()}
    return {part: list(map(_translate, hints)) for part, hints in found.items() if hints}


def check_parts(kind: str, sources: Mapping[str, str]) -> dict[str, list[Problem]]:
    """Return what is wrong by part; nothing means that the templates may be saved.

    Each part is also rendered for the worst messages, so a template that only works on a good
    day is found now and not at three in the night.
    """
    unknown = {
        part: [Problem(1, _("This kind of channel has no such part."))]
        for part in sources
        if part not in adapter(kind).parts
    }
    _parts, problems = _try(kind, _wanted(kind, sources), worst_messages())
    return unknown | problems


def _notes(kind: str, parts: Mapping[str, str], message: Message) -> dict[str, str]:
    path = adapter(kind).preview_notes
    found: dict[str, str] = import_string(path)(parts, message) if path else {}
    return found


def _drawing(kind: str, rendered: Rendered, message: Message) -> str:
    path = adapter(kind).drawing
    return str(import_string(path)(rendered, message)) if path else ""


def _wanted(kind: str, sources: Mapping[str, str]) -> dict[str, str]:
    known = adapter(kind).parts
    return {part: text for part, text in sources.items() if part in known and text.strip()}


def _try(
    kind: str, sources: dict[str, str], messages: list[Message]
) -> tuple[dict[str, str], dict[str, list[Problem]]]:
    if not sources:
        return {}, {}
    types = {part: str(content_type) for part, content_type in adapter(kind).parts.items()}
    try:
        outcome = render_in_child(_job(kind, types, sources, messages))
    except ChildFailed as error:
        return {}, {part: [Problem(1, str(error))] for part in sources}
    problems = {part: list(map(_translate, found)) for part, found in outcome.problems.items()}
    return outcome.parts, problems


def _job(kind: str, types: dict[str, str], sources: dict[str, str], messages: list[Message]) -> Job:
    words = words_here()
    texts = {locale: dict(phrases) for locale, phrases in words.texts.items()}
    return Job(types=types, sources=sources, messages=messages, kind=kind, default_locale=words.default, words=texts)


def _translate(problem: Problem) -> Problem:
    text = _(problem.text)
    names = {"name": problem.name, "other": problem.other}
    return Problem(problem.line, text % names if problem.name else text)
