"""Make the virtual environment of the checkout and install the pinned packages into it.

Runs on the machine's own Python before anything is installed: standard library only. `python_check` goes before.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
UV = "uv==0.13.9"
MEGABYTE = 1 << 20


class BootstrapError(Exception):
    """The environment cannot be made; the text is one plain sentence."""


def main() -> int:
    """Install what `make up` needs, or with --dev what tests and checks need on top."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="install requirements-dev.txt")
    is_dev = parser.parse_args().dev
    try:
        (ROOT / "var").mkdir(exist_ok=True)
        with (ROOT / "var" / "install.lock").open("w") as lock:
            wait_for(lock)
            install("dev" if is_dev else "run")
    except BootstrapError as fault:
        print(str(fault), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(
            f"The environment could not be made: {error.strerror} ({error.filename}).",
            file=sys.stderr,
        )
        return 1
    return 0


def wait_for(lock) -> None:  # type: ignore[no-untyped-def]
    """Hold the lock of this checkout, so that two commands never install at once."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Waiting for another installation in this checkout ...", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def install(kind: str) -> None:
    """Install one set of packages unless its stamp says that it is there."""
    if is_stamped(kind) or (kind == "run" and is_stamped("dev")):
        return
    requirements = requirements_of(kind)
    check_space(1300 if kind == "dev" else 900)
    python = VENV / "bin" / "python"
    if not works(python):
        print("Making the virtual environment .venv ...", flush=True)
        shutil.rmtree(str(VENV), ignore_errors=True)
        run(
            [sys.executable, "-m", "venv", str(VENV)],
            "Python's venv module does not work; on Debian: python3-venv.",
        )
    count = sum(1 for line in requirements.read_text().splitlines() if "==" in line)
    print(
        f"Installing {count} pinned packages into .venv (the first run only) ...",
        flush=True,
    )
    if not (install_with_uv(python, requirements) or install_with_pip(python, requirements)):
        raise BootstrapError("The packages could not be installed (see above); check network, disk and pip's settings.")
    stamp_file(kind).write_text(stamp(kind))


def install_with_uv(python: Path, requirements: Path) -> bool:
    """Install with uv, which takes seconds; say False when it is not to be had or fails."""
    if not works(VENV / "bin" / "uv", "--version"):
        pip = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            UV,
        ]
        if subprocess.call(pip) != 0:
            return False
    command = [
        str(VENV / "bin" / "uv"),
        "pip",
        "install",
        "--python",
        str(python),
        "-r",
        str(requirements),
    ]
    return subprocess.call(command, cwd=str(ROOT)) == 0


def install_with_pip(python: Path, requirements: Path) -> bool:
    """Install with pip, which is slower and knows the machine's pip settings (mirrors, certificates)."""
    print("Trying again with pip ...", flush=True)
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "-r",
        str(requirements),
    ]
    return subprocess.call(command, cwd=str(ROOT)) == 0


def requirements_of(kind: str) -> Path:
    """Return the list of pinned packages of a set."""
    return ROOT / ("requirements-dev.txt" if kind == "dev" else "requirements.txt")


def stamp(kind: str) -> str:
    """Return what an installation stands on: the pins, the interpreter, and where the environment lies."""
    facts = hashlib.sha256(requirements_of(kind).read_bytes())
    if kind == "dev":
        facts.update(requirements_of("run").read_bytes())
    facts.update(f"{sys.version}|{VENV}".encode())
    return facts.hexdigest()


def stamp_file(kind: str) -> Path:
    """Return where the stamp of an installation lies; it goes with the environment."""
    return VENV / f"installed-{kind}"


def is_stamped(kind: str) -> bool:
    """Tell whether the set is installed as pinned."""
    try:
        return stamp_file(kind).read_text() == stamp(kind) and (VENV / "bin" / "python").exists()
    except OSError:
        return False


def works(program: Path, argument: str = "-V") -> bool:
    """Tell whether a program of the environment can be run; one that was moved or whose Python is gone cannot."""
    try:
        return (
            subprocess.call(
                [str(program), argument],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            == 0
        )
    except OSError:
        return False


def check_space(needed: int) -> None:
    """Refuse to start an installation that cannot fit."""
    free = shutil.disk_usage(str(ROOT)).free // MEGABYTE
    if free < needed:
        raise BootstrapError(f"The disk of {ROOT} has {free} MB free and {needed} MB are needed; make room.")


def run(command: list[str], otherwise: str) -> None:
    """Run a command to its end, or say what to do about it."""
    if subprocess.call(command) != 0:
        raise BootstrapError(otherwise)


if __name__ == "__main__":
    sys.exit(main())
