"""The list of a message's alerts as a CSV file that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from typing import Final

from channels.message import AlertLine, Message
from tenants.spreadsheets import safe

NAME: Final = "alerts.csv"
MAX_BYTES: Final = 256 * 1024
MAX_LABELS: Final = 40
#: Fewer than this can be read in the mail itself.
MIN_ALERTS: Final = 5
COLUMNS: Final = ("status", "severity", "starts_at", "ends_at", "fingerprint", "summary", "url")


def alerts_csv(message: Message) -> bytes:
    """Return the file, with a column for each label; empty when there are too few alerts to be worth one."""
    if len(message.alerts) < MIN_ALERTS:
        return b""
    names = list(dict.fromkeys(name for alert in message.alerts for name in alert.labels))[:MAX_LABELS]
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow([*COLUMNS, *(safe(name) for name in names)])
    for alert in message.alerts:
        before = text.tell()
        writer.writerow([safe(cell) for cell in _row(alert, names)])
        if text.tell() > MAX_BYTES:
            text.truncate(before)
            break
    # The mark tells spreadsheets that this is UTF-8.
    return text.getvalue().encode("utf-8-sig")


def _row(alert: AlertLine, names: list[str]) -> list[str]:
    fixed = [
        alert.status,
        alert.severity_name,
        alert.starts_at.isoformat() if alert.starts_at else "",
        alert.ends_at.isoformat() if alert.ends_at else "",
        alert.fingerprint,
        alert.annotations.get("summary", ""),
        alert.generator_url,
    ]
    return [*fixed, *(alert.labels.get(name, "") for name in names)]
