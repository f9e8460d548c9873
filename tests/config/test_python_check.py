"""What somebody is told whose Python is too old."""

import ast
import subprocess
import sys

from config.up.layout import ROOT

SCRIPT = ROOT / "config" / "up" / "python_check.py"


def test_old_python_is_told_in_one_sentence_which_one_to_name() -> None:
    pretend = f"import runpy, sys; sys.version_info = (3, 6, 8); runpy.run_path({str(SCRIPT)!r})"
    result = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == (
        "Python 3.11 or newer is needed and this is 3.6; name one, as in: make up PYTHON=python3.11\n"
    )


def test_present_python_passes_in_silence() -> None:
    result = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_check_is_read_by_pythons_that_are_refused() -> None:
    source = SCRIPT.read_text()
    ast.parse(source, feature_version=(3, 4))
    assert not any(isinstance(node, ast.JoinedStr | ast.AnnAssign) for node in ast.walk(ast.parse(source)))
