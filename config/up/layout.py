"""Where a checkout keeps what `make up` makes, and what is left to do on a second run."""

import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded.account import Account, open_folder, reachable_folder
from config.embedded.errors import OperatorError

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("alerting", "channels", "config", "metrics", "tenants")
NEEDED_SPACE = 300 << 20
MEMORY = Path("/dev/shm")  # noqa: S108  (open_folder checks whose the folder in it is)


@dataclass(frozen=True)
class Layout:
    """The folders and files of one checkout's run."""

    root: Path = ROOT
    # Everything that is kept between runs; `make clean-data` removes it.
    var: Path = field(default_factory=lambda: Path(os.environ.get("VAR_DIR") or ROOT / "var").absolute())

    @property
    def facts(self) -> Path:
        """What scripts read about the running service."""
        return self.var / "up.json"

    @property
    def demo(self) -> Path:
        """What the seed says about the demo tenant."""
        return self.var / "demo.json"

    @property
    def secrets(self) -> Path:
        """The secrets of this checkout."""
        return self.var / "secrets.env"

    @property
    def elsewhere(self) -> Path:
        """Names the folder of the database when it does not lie below `var`."""
        return self.var / "postgres-lies-in"

    def prepare(self) -> None:
        """Make `var` and refuse to start on a full disk; touches nothing that a running service uses."""
        open_folder(self.var)
        free = shutil.disk_usage(self.var).free
        if free < NEEDED_SPACE:
            raise OperatorError(
                f"The disk of {self.var} has only {free >> 20} MB free and the database needs {NEEDED_SPACE >> 20};"
                " make room first."
            )

    def clear(self) -> None:
        """Remove what only one run means, once this run holds the checkout's lock."""
        self.facts.unlink(missing_ok=True)
        self.forget_counters()
        open_folder(self.counters)

    def forget_counters(self) -> None:
        """Remove the counters of a run that is over."""
        shutil.rmtree(self.counters, ignore_errors=True)

    @property
    def counters(self) -> Path:
        """Where the processes of one run keep the counters that /metrics adds up.

        In memory where the system has room for files there: they are memory-mapped, and a process that touches
        such a page on a full disk is ended by the kernel, when it could still have said that nothing was stored.
        """
        if not os.access(MEMORY, os.W_OK):
            return self.var / "prometheus"
        mark = hashlib.sha256(os.fsencode(self.var.resolve())).hexdigest()[:12]
        return MEMORY / f"alerting-{os.geteuid()}-{mark}"

    def postgres_folder(self, account: Account) -> Path:
        """Return the folder of the database; below `var` unless its account cannot walk there."""
        if self.elsewhere.exists():
            return open_folder(Path(self.elsewhere.read_text(encoding="utf-8")))
        folder = reachable_folder(self.var / "postgres", account)
        if self.var.resolve() not in folder.parents:
            self.elsewhere.write_text(str(folder), encoding="utf-8")
        return folder


def digest_of(files: Iterable[Path], *more: str) -> str:
    """Return a digest of files and words; it changes when any of them does."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(files):
        digest.update(str(file).encode())
        digest.update(file.read_bytes())
    for word in more:
        digest.update(b"\0" + word.encode())
    return digest.hexdigest()


def schema_files(root: Path) -> list[Path]:
    """Return what the schema is made from: our migrations, and which packages bring their own in which version."""
    migrations = (file for app in APPS for file in root.glob(f"{app}/migrations/*.py"))
    return [*migrations, root / "config" / "settings.py", root / "requirements.txt"]


def source_files(root: Path) -> list[Path]:
    """Return what the demo data is made from: the code and the built-in templates."""
    code = (file for app in APPS for file in root.glob(f"{app}/**/*.py"))
    templates = (file for file in root.glob("templates/**/*") if file.is_file())
    return [*code, *templates]


@dataclass(frozen=True)
class Stamp:
    """Remembers that a step was done for one state of its inputs."""

    file: Path
    value: str

    def is_current(self) -> bool:
        """Tell whether the step was done for the present inputs."""
        return self.file.exists() and self.file.read_text(encoding="utf-8") == self.value

    def keep(self) -> None:
        """Remember that the step is done."""
        self.file.write_text(self.value, encoding="utf-8")
