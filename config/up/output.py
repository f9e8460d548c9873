"""Write what the programs say to one terminal, each line with the name of who said it."""

import os
import sys
import threading
from typing import IO

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
WIDTH = 8
LONGEST_LINE = 2_000


class Output:
    """A terminal, pipe or file that several threads write lines to; one that is closed is given up silently."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.is_coloured = not os.environ.get("NO_COLOR") and (os.environ.get("FORCE_COLOR") or self.stream.isatty())
        self.is_open = True
        self._lock = threading.Lock()
        self._names: list[str] = []

    def line(self, name: str, text: str) -> None:
        """Write one line of a program."""
        prefix = f"{name:<{WIDTH}} |"
        if self.is_coloured:
            prefix = f"\x1b[{self._colour(name)}m{prefix}\x1b[0m"
        self.plain(f"{prefix} {text[:LONGEST_LINE]}")

    def plain(self, text: str) -> None:
        """Write text of our own."""
        with self._lock:
            if not self.is_open:
                return
            try:
                self.stream.write(f"{text}\n")
                self.stream.flush()
            except (OSError, ValueError):
                # The reader is gone (`make up | head`): the programs go on all the same.
                self.is_open = False

    def _colour(self, name: str) -> int:
        with self._lock:
            if name not in self._names:
                self._names.append(name)
            return COLOURS[self._names.index(name) % len(COLOURS)]
