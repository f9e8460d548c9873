"""Which ports `make up` uses, all counted from PORT, and whether they are free."""

import errno
import os
import socket
from dataclasses import dataclass

import psutil

from config.embedded.errors import OperatorError

FIRST_PORT = 8000


@dataclass(frozen=True)
class Ports:
    """The ports of one run; PORT moves them together, so that two checkouts run side by side."""

    web: int

    @classmethod
    def from_environment(cls) -> "Ports":
        """Read PORT."""
        raw = os.environ.get("PORT") or str(FIRST_PORT)
        if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= 65_531:
            raise OperatorError(f"PORT must be a number from 1 to 65531, not {raw!r}.")
        return cls(int(raw))

    @property
    def inbox(self) -> int:
        """The page that shows what arrived."""
        return self.web + 1

    @property
    def smtp(self) -> int:
        """The sink of e-mail."""
        return self.web + 2

    @property
    def postgres(self) -> int:
        """The database."""
        return self.web + 3

    @property
    def valkey(self) -> int:
        """The broker and cache."""
        return self.web + 4


def check_free(port: int) -> None:
    """Raise OperatorError when nothing of ours could listen on a port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise OperatorError(
                    f"Port {port} needs rights of root; choose others with `make up PORT=9000`."
                ) from None
            raise OperatorError(
                f"Port {port} is in use{_holder(port)}; stop that, or choose others with `make up PORT={_other(port)}`."
            ) from None


def _other(port: int) -> int:
    return port + 1000 if port < 64_000 else FIRST_PORT


def _holder(port: int) -> str:
    """Name who listens on a port, where the system tells."""
    try:
        for entry in psutil.net_connections("tcp"):
            if entry.laddr and entry.laddr.port == port and entry.status == psutil.CONN_LISTEN and entry.pid:
                return f" by {psutil.Process(entry.pid).name()} (process {entry.pid})"
    except psutil.Error:
        return ""
    return ""
