"""Addresses of the REST API of this app."""

from django.urls import URLPattern, URLResolver, re_path

from metrics.api.catalogue import CatalogueViewSet, ChoiceViewSet
from metrics.api.charts import finding_chart
from metrics.api.findings import FindingViewSet
from metrics.api.intake import PushView, RemoteWriteView
from metrics.api.series import SeriesViewSet
from metrics.api.sources import SourceViewSet
from metrics.api.thresholds import MetricsPolicyViewSet, ThresholdViewSet
from tenants.api.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("series", SeriesViewSet, "series")
router.register("thresholds", ThresholdViewSet, "threshold")
router.register("findings", FindingViewSet, "finding")
router.register("metric-sources", SourceViewSet, "metric-source")
router.register("metric-catalogue", CatalogueViewSet, "metric-catalogue")
router.register("metric-choices", ChoiceViewSet, "metric-choice")

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^charts/(?P<token>[\w.-]+)\.png$", finding_chart, name="finding-chart"),
    re_path(r"^metrics/?$", PushView.as_view(), name="metrics-send"),
    re_path(r"^metrics/remote-write/?$", RemoteWriteView.as_view(), name="metrics-remote-write"),
    re_path(
        r"^detection-settings/?$",
        MetricsPolicyViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="detection-settings",
    ),
    *router.urls,
]
