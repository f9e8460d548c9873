"""Programs that some tests need and Debian has: found on the path, or installed where that is ours to do."""

import os
import shutil
import subprocess


def find(names: tuple[str, ...], variable: str) -> str | None:
    """Return a program: the one the environment variable names, or the first known name on the path."""
    given = os.environ.get(variable)
    return given or next((path for name in names if (path := shutil.which(name))), None)


def install(package: str, tests: str, variable: str) -> str:
    """Install a package as root; return what is missing in one sentence, or nothing."""
    if os.geteuid() != 0:
        return f"The {tests} tests need {package}; ask an administrator for `apt-get install {package}`."
    if not shutil.which("apt-get"):
        return f"The {tests} tests need {package}, and this system has no apt-get; install it and set {variable}."
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print(f"Installing {package} for the {tests} tests (the first run only) ...", flush=True)
    for step in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        try:
            subprocess.run(["apt-get", "-qq", *step], env=env, check=True, timeout=300, stdout=subprocess.DEVNULL)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return f"The {tests} tests need {package}, and `apt-get {step[0]}` failed (see above)."
    return ""
