"""Which model of metrics has which page."""

from typing import Any

from metrics.admin.catalogue import MetricChoiceAdmin
from metrics.admin.source import SourceAdmin
from metrics.models import MetricChoice, Source

PAGES: dict[Any, Any] = {
    Source: SourceAdmin,
    MetricChoice: MetricChoiceAdmin,
}
