"""Addresses of the REST API of this app."""

from django.urls import re_path

from alerting.api.configuration_views import (
    AssistantViewSet,
    EnrichmentStepViewSet,
    GroupingRuleViewSet,
    InhibitionRuleViewSet,
    MaintenanceWindowViewSet,
    PolicyViewSet,
    RouteViewSet,
)
from alerting.api.contacts import ContactViewSet, RuleViewSet
from alerting.api.escalation import EscalationPolicyViewSet, ForetellViewSet, NextStepsViewSet
from alerting.api.explain import ExplainViewSet
from alerting.api.feeds import on_call_feed
from alerting.api.groups import GroupViewSet
from alerting.api.intake import AlertmanagerIntakeView, IntakeRequestViewSet
from alerting.api.oncall import OverrideViewSet, ScheduleViewSet
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
router.register("escalation-policies", EscalationPolicyViewSet, "escalation-policy")
router.register("on-call-schedules", ScheduleViewSet, "on-call-schedule")
router.register("overrides", OverrideViewSet, "override")
router.register("contacts", ContactViewSet, "contact")
router.register("notification-rules", RuleViewSet, "notification-rule")

urlpatterns = [
    re_path(
        r"^groups/(?P<id>[^/]+)/next-steps/?$", NextStepsViewSet.as_view({"get": "retrieve"}), name="group-next-steps"
    ),
    re_path(r"^who-would-be-called/?$", ForetellViewSet.as_view({"post": "create"}), name="who-would-be-called"),
    re_path(r"^on-call-feeds/(?P<token>[\w.-]+)\.ics$", on_call_feed, name="on-call-feed"),
    re_path(r"^integrations/alertmanager/?$", AlertmanagerIntakeView.as_view(), name="alertmanager-send"),
    re_path(
        r"^assistant/?$", AssistantViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="assistant"
    ),
    re_path(r"^policy/?$", PolicyViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="policy"),
    re_path(r"^explain/?$", ExplainViewSet.as_view({"post": "create"}), name="explain"),
    *router.urls,
]
