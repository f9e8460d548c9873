"""Severity and status as chips."""

from typing import Any, Final

from alerting.models import AlertStatus, GroupStatus
from alerting.severity import TITLES, Severity
from tenants.admin.display import chip

SEVERITY_TONES: Final = {
    Severity.INFO: "blue",
    Severity.WARNING: "yellow",
    Severity.ERROR: "orange",
    Severity.CRITICAL: "red",
}
STATUS_TONES: Final = {"firing": "red", "acknowledged": "orange", "resolved": "green"}


def severity_chip(value: int) -> Any:
    """Return a severity as a chip; one of a newer version by its number."""
    try:
        level = Severity(value)
    except ValueError:
        return chip(value, "grey")
    return chip(TITLES[level], SEVERITY_TONES[level])


def status_chip(value: str) -> Any:
    """Return the status of a group or alert as a chip."""
    labels = {**dict(AlertStatus.choices), **dict(GroupStatus.choices)}
    return chip(labels.get(value, value), STATUS_TONES.get(value, "grey"))
