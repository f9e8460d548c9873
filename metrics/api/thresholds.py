"""REST doors of thresholds: change them, try them on the past, see how far they can be trusted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.selectors import database_now
from metrics.api import threshold_bodies as bodies
from metrics.backtest import compare
from metrics.backtest.compare import MOST_DAYS
from metrics.judging.rules import rule_of
from metrics.models import MetricsPolicy, Series, Threshold
from metrics.thresholds import validation
from metrics.trust.outcomes import outcomes_of
from metrics.trust.verdicts import policy, precision_of
from tenants import audit
from tenants.api.inputs import clean_instance
from tenants.api.problems import Problem
from tenants.api.views import ConfigurationViewSet, TenantViewSet

MONTH: Final = timedelta(days=30)
LONGEST: Final = timedelta(days=MOST_DAYS)


class ThresholdViewSet(ConfigurationViewSet):
    """What a tenant wants to be told about its series."""

    model = Threshold
    noun = "threshold"
    input_serializer = bodies.ThresholdInput
    output_serializer = bodies.ThresholdOutput
    action_permissions = {"backtest": "view_configuration", "trust": "view_configuration"}

    def check(self, instance: Any) -> None:
        validation.check(instance)

    @extend_schema(
        summary="Try a threshold on the past", request=bodies.BacktestInput, responses={200: bodies.BacktestOutput}
    )
    @action(detail=True, methods=["post"])
    def backtest(self, request: Request, id: str) -> Response:
        """Which alerts it would have raised over what is stored, beside those that were; with a change, both forms."""
        threshold = self.get_object()
        asked = self.accept(bodies.BacktestInput)
        until = asked.get("until") or database_now()
        since = asked.get("since") or until - MONTH
        if not since < until <= since + LONGEST:
            detail = _("Ask for a span of at most %(days)d days that ends after it begins.") % {"days": MOST_DAYS}
            raise Problem("validation", detail, status=400)
        changes = asked.get("changes")
        rule = rule_of(threshold)
        changed = rule_of(self._changed(threshold, changes)) if changes else None
        only = None
        if "series" in asked:
            only = list(Series._default_manager.filter(pk__in=asked["series"]).values_list("number", flat=True))
        answer = compare(rule, changed, since.timestamp(), until.timestamp(), only=only)
        return Response(bodies.BacktestOutput(bodies.backtest_answer(answer, is_changed=changed is not None)).data)

    def _changed(self, threshold: Threshold, changes: dict[str, Any]) -> Threshold:
        """The threshold as it might be; judged as if it were to be saved, and never saved."""
        for name, value in changes.items():
            setattr(threshold, name, value)
        clean_instance(threshold, validation.check)
        return threshold

    @extend_schema(summary="Show how far a threshold can be trusted", responses=bodies.TrustOutput)
    @action(detail=True)
    def trust(self, request: Request, id: str) -> Response:
        """What verdicts prove, what happened to its alerts, and what might be changed."""
        threshold = self.get_object()
        precision = precision_of({threshold.pk})[threshold.pk]
        data = {"precision": precision, "outcomes": outcomes_of(threshold, precision)}
        return Response(bodies.TrustOutput(data).data)


class MetricsPolicyViewSet(TenantViewSet):
    """The tenant's general choices about what is found: one row."""

    read_permission = "view_configuration"
    pagination_class = None
    paged = frozenset()

    @extend_schema(summary="Show the detection settings", responses=bodies.DetectionSettingsOutput)
    def retrieve(self, request: Request) -> Response:
        return Response(bodies.DetectionSettingsOutput(policy()).data)

    @extend_schema(
        summary="Change the detection settings",
        request=bodies.DetectionSettingsInput,
        responses=bodies.DetectionSettingsOutput,
    )
    def partial_update(self, request: Request) -> Response:
        row = MetricsPolicy._default_manager.first() or MetricsPolicy(tenant_id=self.principal.tenant_id)
        for name, value in self.accept(bodies.DetectionSettingsInput, row, partial=True).items():
            setattr(row, name, value)
        clean_instance(row, validation.check_policy)
        audit.save_audited(self.principal, row)
        return Response(bodies.DetectionSettingsOutput(row).data)
