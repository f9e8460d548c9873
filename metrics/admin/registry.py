"""Which model of metrics has which page."""

from typing import Any

from metrics.admin.catalogue import MetricChoiceAdmin
from metrics.admin.series import SeriesAdmin
from metrics.admin.source import SourceAdmin
from metrics.models import MetricChoice, Series, Source

PAGES: dict[Any, Any] = {
    Series: SeriesAdmin,
    Source: SourceAdmin,
    MetricChoice: MetricChoiceAdmin,
}
