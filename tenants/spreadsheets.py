"""Cells of CSV files that no spreadsheet takes for a formula."""

from typing import Final

MAX_CELL: Final = 1_000
# What makes a spreadsheet compute, also behind spaces that it strips.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe(cell: str) -> str:
    """Return a cell that is shown as it is."""
    cell = cell.replace("\x00", "")[:MAX_CELL]
    return f"'{cell}" if cell.lstrip(" \xa0").startswith(FORMULA) else cell
