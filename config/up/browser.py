"""`python -m config.up.browser`: see to it that the browser tests find Debian's chromium, or say what is missing."""

import sys

from config.up import debian

_VARIABLE = "CHROMIUM"


def find() -> str | None:
    """Return the browser's program: CHROMIUM, or the first known name on the path."""
    return debian.find(("chromium", "chromium-browser", "google-chrome"), _VARIABLE)


def main() -> int:
    """Never fail the tests for want of a browser: theirs are skipped with a reason."""
    if find() is None and (missing := debian.install("chromium", "browser", _VARIABLE)):
        print(f"{missing} They are skipped.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
