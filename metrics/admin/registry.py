"""Which model of metrics has which page."""

from typing import Any

from metrics.admin.aside import SamplesAsideAdmin
from metrics.admin.catalogue import MetricChoiceAdmin
from metrics.admin.finding import FindingAdmin
from metrics.admin.series import SeriesAdmin
from metrics.admin.source import SourceAdmin
from metrics.admin.threshold import MetricsPolicyAdmin, ThresholdAdmin
from metrics.models import Finding, MetricChoice, MetricsPolicy, SamplesAside, Series, Source, Threshold

PAGES: dict[Any, Any] = {
    Finding: FindingAdmin,
    Threshold: ThresholdAdmin,
    MetricsPolicy: MetricsPolicyAdmin,
    Series: SeriesAdmin,
    SamplesAside: SamplesAsideAdmin,
    Source: SourceAdmin,
    MetricChoice: MetricChoiceAdmin,
}
