"""Addresses of the REST API of this app."""

from django.urls import re_path

from alerting.api.configuration_views import (
    EnrichmentStepViewSet,
    GroupingRuleViewSet,
    InhibitionRuleViewSet,
    MaintenanceWindowViewSet,
    PolicyViewSet,
    RouteViewSet,
)
from alerting.api.explain import ExplainViewSet
from alerting.api.groups import GroupViewSet
from alerting.api.intake import AlertmanagerIntakeView, IntakeRequestViewSet
from alerting.api.quarantine import QuarantineViewSet
from alerting.api.reads import AlertViewSet
from alerting.api.silences import SilenceViewSet
from tenants.api.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("alerts", AlertViewSet, "alert")
router.register("groups", GroupViewSet, "group")
router.register("intake", IntakeRequestViewSet, "intake")
router.register("quarantine", QuarantineViewSet, "quarantine")
router.register("silences", SilenceViewSet, "silence")
router.register("routes", RouteViewSet, "route")
router.register("grouping-rules", GroupingRuleViewSet, "grouping-rule")
router.register("enrichment-steps", EnrichmentStepViewSet, "enrichment-step")
router.register("inhibition-rules", InhibitionRuleViewSet, "inhibition-rule")
router.register("maintenance-windows", MaintenanceWindowViewSet, "maintenance-window")

urlpatterns = [
    re_path(r"^integrations/alertmanager/?$", AlertmanagerIntakeView.as_view(), name="alertmanager-send"),
    re_path(r"^policy/?$", PolicyViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="policy"),
    re_path(r"^explain/?$", ExplainViewSet.as_view({"post": "create"}), name="explain"),
    *router.urls,
]
