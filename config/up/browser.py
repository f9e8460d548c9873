"""`python -m config.up.browser`: see to it that the browser tests find Debian's chromium, or say what is missing."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> str | None:
    """Return the browser's program: CHROMIUM, or the first known name on the path."""
    given = os.environ.get("CHROMIUM")
    return given or next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> str:
    """Install the browser where that is ours to do; return what is missing in one sentence, or nothing."""
    if os.geteuid() != 0:
        return "The browser tests need chromium; ask an administrator for `apt-get install chromium`."
    if not shutil.which("apt-get"):
        return "The browser tests need chromium, and this system has no apt-get; install it and set CHROMIUM."
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print("Installing chromium for the browser tests (the first run only) ...", flush=True)
    for step in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        try:
            subprocess.run(["apt-get", "-qq", *step], env=env, check=True, timeout=300, stdout=subprocess.DEVNULL)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return f"The browser tests need chromium, and `apt-get {step[0]}` failed (see above)."
    return ""


def main() -> int:
    """Never fail the tests for want of a browser: theirs are skipped with a reason."""
    if find() is None and (missing := install()):
        print(f"{missing} They are skipped.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
