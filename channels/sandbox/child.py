"""The killable process that renders a template for a preview or before it is saved."""

from __future__ import annotations

import resource
import sys
from typing import Any, BinaryIO

import msgspec

from channels.languages import TenantWords, Voice, current, voice_of
from channels.message import Message
from channels.sandbox.checking import Problem
from channels.sandbox.context import build_context
from channels.sandbox.environment import RenderFailed, check_template, render

READY = b"ready\n"
CPU_SECONDS = 1
MEMORY_BYTES = 512 * 1024 * 1024


class Job(msgspec.Struct, frozen=True):
    """Templates by part, the type of each part, and messages to try them on."""

    types: dict[str, str]
    sources: dict[str, str]
    messages: list[Message]
    kind: str = ""
    default_locale: str = ""
    words: dict[str, dict[str, str]] = {}


class Outcome(msgspec.Struct, frozen=True):
    """The text of each part for the first message, and what is wrong with a part."""

    parts: dict[str, str] = {}
    problems: dict[str, list[Problem]] = {}


def run(job: Job) -> Outcome:
    """Check every part, then render it for every message."""
    parts: dict[str, str] = {}
    problems: dict[str, list[Problem]] = {}
    words = TenantWords(job.default_locale, job.words)
    voices = [voice_of(message, job.kind, words) for message in job.messages]
    contexts = [build_context(message, voice) for message, voice in zip(job.messages, voices, strict=True)]
    for name, source in job.sources.items():
        content_type = job.types[name]
        found = check_template(content_type, source)
        if not found:
            try:
                texts = [
                    _speak(voice, content_type, source, context)
                    for voice, context in zip(voices, contexts, strict=True)
                ]
                parts[name] = texts[0] if texts else ""
            except RenderFailed as error:
                found = [error.problem]
        if found:
            problems[name] = found
    return Outcome(parts, problems)


def _speak(voice: Voice, content_type: str, source: str, context: dict[str, Any]) -> str:
    token = current.set(voice)
    try:
        return render(content_type, source, context)
    finally:
        current.reset(token)


def main() -> None:
    """Say that the imports are done, give up what is not needed, do one job."""
    answer: BinaryIO = sys.stdout.buffer
    answer.write(READY)
    answer.flush()
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    _limit()
    answer.write(msgspec.json.encode(run(job)))
    answer.flush()


def _limit() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
    for what, limit in (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        resource.setrlimit(what, (limit, limit))
