"""The tables of the metrics app."""

from metrics.models.series import Kind, MetricQueue, MetricRequest, RollupDue, Series, SeriesDue

__all__ = ["Kind", "MetricQueue", "MetricRequest", "RollupDue", "Series", "SeriesDue"]
