"""Starts the child that renders, and kills it when its time is up."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import msgspec
from django.utils.translation import gettext as _

from channels.sandbox.child import READY, Job, Outcome

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 15.0
WALL_SECONDS = 1.0
PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from channels.sandbox.child import main; main()"


class ChildFailed(Exception):
    """The child ended without an answer: out of time or out of memory."""


def render_in_child(job: Job, wall_seconds: float = WALL_SECONDS) -> Outcome:
    """Do a job in a process of its own, without our environment, and return its outcome.

    Raises `ChildFailed` when it takes more than one second or 512 MB.
    """
    # -I keeps the child from reading PYTHON* variables and the current folder.
    child = subprocess.Popen(  # noqa: S603  a fixed program of ours; the job comes by a pipe
        [sys.executable, "-I", "-c", PROGRAM, str(ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8"},
        start_new_session=True,
        bufsize=0,
    )
    try:
        # Starting Python is not the template's time.
        _wait_ready(child)
        answer, _errors = child.communicate(msgspec.json.encode(job), timeout=wall_seconds)
    except subprocess.TimeoutExpired:
        raise ChildFailed(_("The template takes too long.")) from None
    finally:
        _end(child)
    if child.returncode != 0:
        raise ChildFailed(_("The template takes too much time or memory."))
    try:
        return msgspec.json.decode(answer, type=Outcome)
    except msgspec.DecodeError:
        raise ChildFailed(_("The template takes too much time or memory.")) from None


def _wait_ready(child: subprocess.Popen[bytes]) -> None:
    if child.stdout is None:
        raise ChildFailed(_("The preview could not start."))
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        if not selector.select(START_SECONDS):
            raise ChildFailed(_("The preview could not start."))
    if child.stdout.read(len(READY)) != READY:
        raise ChildFailed(_("The preview could not start."))


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
