"""The page about the catalogue says what the catalogue has."""

import re
from pathlib import Path

from metrics.catalogue import entries

PAGE = Path(__file__).resolve().parents[3] / "docs" / "metric-catalogue.md"


def test_the_table_has_every_metric_as_it_is() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {key: [cell.strip(" `") for cell in cells.split("|")] for key, cells in rows}
    known = {
        key: [one.metric, one.unit, one.direction, one.aggregation, one.period, ", ".join(one.labels)]
        for key, one in entries().items()
    }
    assert told == known
