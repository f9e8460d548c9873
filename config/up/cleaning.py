"""`python -m config.up.cleaning`: remove what `make up` keeps, also a database that lies elsewhere."""

import shutil
import sys
from pathlib import Path

from config.embedded.errors import OperatorError
from config.embedded.postgres import end_processes_of
from config.up.layout import Layout
from config.up.left_overs import Run


def clean(layout: Layout) -> None:
    """Remove the data of a checkout in which nothing runs."""
    if not layout.var.exists():
        return
    Run.begin(layout.var, 0)
    folders = [layout.var / "postgres"]
    if layout.elsewhere.exists():
        folders.append(Path(layout.elsewhere.read_text(encoding="utf-8")))
    for folder in folders:
        if folder.exists():
            end_processes_of(folder / "data")
            shutil.rmtree(folder)
    layout.forget_counters()
    shutil.rmtree(layout.var)


if __name__ == "__main__":
    try:
        clean(Layout())
    except OperatorError as fault:
        sys.exit(f"{fault} Stop it before its data is removed.")
