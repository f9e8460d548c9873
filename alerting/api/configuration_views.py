"""REST doors of the configuration of alerting."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alerting import validation
from alerting.api import configuration_serializers as bodies
from alerting.models import (
    AlertingPolicy,
    EnrichmentStep,
    GroupingRule,
    InhibitionRule,
    LanguageModel,
    MaintenanceWindow,
    Route,
)
from alerting.route_channels import set_channels
from alerting.selectors import list_routes
from tenants import audit
from tenants.api.inputs import clean_instance
from tenants.api.problems import Problem
from tenants.api.views import ConfigurationViewSet, TenantViewSet


class AlertingConfigurationViewSet(ConfigurationViewSet):
    """Configuration that `alerting.validation` judges."""

    def check(self, instance: Any) -> None:
        validation.check(instance)


class RouteViewSet(AlertingConfigurationViewSet):
    """The route tree: which channels are told of an alert, and when."""

    model = Route
    noun = "route"
    input_serializer = bodies.RouteInput
    output_serializer = bodies.RouteOutput

    def rows(self) -> QuerySet[Route]:
        return list_routes()

    def store(self, instance: Any, values: dict[str, Any]) -> None:
        # Changes to the tree wait for each other, else two of them could make a circle that neither sees.
        list(Route._default_manager.filter(parent=None).select_for_update())
        channels = values.pop("channels", None)
        super().store(instance, values)
        if channels is not None:
            set_channels(self.principal, instance, channels)

    def remove(self, instance: Any) -> None:
        if instance.parent_id is None:
            raise Problem("conflict", _("The root takes what no other route does and cannot be deleted."))
        if Route._default_manager.filter(parent=instance).exists():
            raise Problem("conflict", _("There are routes below this one; move or delete them first."))
        super().remove(instance)


class GroupingRuleViewSet(AlertingConfigurationViewSet):
    """Which alerts belong together."""

    model = GroupingRule
    noun = "grouping rule"
    input_serializer = bodies.GroupingRuleInput
    output_serializer = bodies.GroupingRuleOutput


class EnrichmentStepViewSet(AlertingConfigurationViewSet):
    """What is added to alerts or changed in them as they come in."""

    model = EnrichmentStep
    noun = "enrichment step"
    input_serializer = bodies.EnrichmentStepInput
    output_serializer = bodies.EnrichmentStepOutput


class InhibitionRuleViewSet(AlertingConfigurationViewSet):
    """Alerts that keep others from being told."""

    model = InhibitionRule
    noun = "inhibition rule"
    input_serializer = bodies.InhibitionRuleInput
    output_serializer = bodies.InhibitionRuleOutput


class MaintenanceWindowViewSet(AlertingConfigurationViewSet):
    """Planned times in which matching alerts are not told."""

    model = MaintenanceWindow
    noun = "maintenance window"
    input_serializer = bodies.MaintenanceWindowInput
    output_serializer = bodies.MaintenanceWindowOutput


class AssistantViewSet(TenantViewSet):
    """Which language model may describe groups: one row."""

    read_permission = "view_configuration"
    pagination_class = None
    paged = frozenset()

    @extend_schema(summary="Show the assistant's settings", responses=bodies.AssistantOutput)
    def retrieve(self, request: Request) -> Response:
        return Response(bodies.AssistantOutput(self._row()).data)

    @extend_schema(
        summary="Change the assistant's settings", request=bodies.AssistantInput, responses=bodies.AssistantOutput
    )
    def partial_update(self, request: Request) -> Response:
        row = self._row()
        for name, value in self.accept(bodies.AssistantInput, row, partial=True).items():
            setattr(row, name, value)
        clean_instance(row, validation.check)
        audit.save_audited(self.principal, row)
        return Response(bodies.AssistantOutput(row).data)

    def _row(self) -> LanguageModel:
        found = LanguageModel._default_manager.first()
        return found or LanguageModel(tenant_id=self.principal.tenant_id)


class PolicyViewSet(TenantViewSet):
    """The tenant's general choices: one row."""

    read_permission = "view_configuration"
    pagination_class = None
    paged = frozenset()

    @extend_schema(summary="Show the general settings", responses=bodies.PolicyOutput)
    def retrieve(self, request: Request) -> Response:
        return Response(bodies.PolicyOutput(self._policy()).data)

    @extend_schema(summary="Change the general settings", request=bodies.PolicyInput, responses=bodies.PolicyOutput)
    def partial_update(self, request: Request) -> Response:
        policy = self._policy()
        for name, value in self.accept(bodies.PolicyInput, policy, partial=True).items():
            setattr(policy, name, value)
        clean_instance(policy, validation.check)
        audit.save_audited(self.principal, policy)
        return Response(bodies.PolicyOutput(policy).data)

    def _policy(self) -> AlertingPolicy:
        found = AlertingPolicy._default_manager.first()
        return found or AlertingPolicy(tenant_id=self.principal.tenant_id)
