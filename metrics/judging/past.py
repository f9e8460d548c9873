"""The samples that a judgement needs, for many series in one statement."""

from __future__ import annotations

from collections.abc import Collection

from metrics.storage import reading
from metrics.thresholds.batch import Floats
from tenants.context import current_tenant_id

Samples = dict[int, tuple[Floats, Floats]]


def read_samples(numbers: Collection[int], start: float, end: float) -> Samples:
    """The samples of series from one time to before another (unix seconds), each in order."""
    return reading.samples(current_tenant_id(), numbers, start, end)
