"""Names and labels of series: checked once, remembered by the bytes they came in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from alerting.decoding.cleaning import clean_labels
from alerting.decoding.names import are_names
from metrics.decoding.limits import MAX_LABEL_VALUE, MAX_LABELS, MAX_METRIC
from metrics.points import encode_about, series_hash

METRIC_PATTERN: Final = r"[a-zA-Z_:][a-zA-Z0-9_.:/-]*"
_METRIC: Final = re.compile(METRIC_PATTERN)
_MOST_REMEMBERED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Named:
    """A series as a parcel names it, and how many labels were sent (empty ones included)."""

    label_hash: bytes
    about: bytes
    labels: int
    unit: str = ""


def is_metric(name: str) -> bool:
    """Say whether this may name a metric."""
    return len(name) <= MAX_METRIC and _METRIC.fullmatch(name) is not None


def named(metric: str, labels: dict[str, str], kind: str) -> Named | None:
    """The series of this name and these labels; None when something about them is not allowed."""
    if not is_metric(metric) or len(labels) > MAX_LABELS or not are_names(labels):
        return None
    if any(len(text) > MAX_LABEL_VALUE or "\0" in text for text in labels.values()):
        return None
    cleaned, _is_changed = clean_labels(labels)
    return Named(series_hash(metric, cleaned), encode_about(metric, cleaned, kind), len(labels))


class Remembered:
    """Series by the bytes that named them, so that what comes every few seconds is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, bytes], Named | None] = {}

    def find(self, kind: str, metric: str, raw: bytes, read: Callable[[], Named | None]) -> Named | None:
        """The series named by these bytes; `read` is asked when they were not met before."""
        key = (kind, metric, raw)
        if key in self._known:
            return self._known[key]
        found = read()
        # Only good ones are kept: whoever sends rubbish must not push others out.
        if found is not None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = found
        return found
