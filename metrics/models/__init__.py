"""The tables of the metrics app."""

from metrics.models.aside import SamplesAside
from metrics.models.series import JudgingTurn, Kind, MetricQueue, MetricRequest, RollupDue, Series, SeriesDue
from metrics.models.source import MetricChoice, Source, SourceDue, SourceState
from metrics.models.threshold import (
    DetectorState,
    Feedback,
    Finding,
    MetricsPolicy,
    Paging,
    Threshold,
    ThresholdKind,
    Verdict,
)

__all__ = [
    "DetectorState",
    "Feedback",
    "Finding",
    "JudgingTurn",
    "Kind",
    "MetricChoice",
    "MetricQueue",
    "MetricRequest",
    "MetricsPolicy",
    "Paging",
    "RollupDue",
    "SamplesAside",
    "Series",
    "SeriesDue",
    "Source",
    "SourceDue",
    "SourceState",
    "Threshold",
    "ThresholdKind",
    "Verdict",
]
