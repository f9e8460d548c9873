"""`python -m config.up.prometheus`: see to it that tests find Debian's prometheus, or say what is missing."""

import sys

from config.up import debian

_VARIABLE = "PROMETHEUS"


def find() -> str | None:
    """Return the program: PROMETHEUS, or the one on the path."""
    return debian.find(("prometheus",), _VARIABLE)


def main() -> int:
    """Never fail the tests for want of a Prometheus: theirs are skipped with a reason."""
    if find() is None and (missing := debian.install("prometheus", "remote write", _VARIABLE)):
        print(f"{missing} They are skipped.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
