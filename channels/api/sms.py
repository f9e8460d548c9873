"""REST door of the SMS plan: limits, budget, prices, and what was used."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import SmsPlan
from channels.sms.usage import Used, used
from tenants import audit
from tenants.api.inputs import StrictModelSerializer, clean_instance
from tenants.api.views import TenantViewSet

FIELDS = (
    "per_number_hourly",
    "hourly",
    "monthly_budget",
    "reserve_percent",
    "critical_over_budget",
    "price",
    "prices",
    "currency",
)


class SmsPlanInput(StrictModelSerializer):
    """Limits of the tenant for all its SMS channels."""

    prices = serializers.DictField(child=serializers.CharField(max_length=10), required=False)

    class Meta:
        model = SmsPlan
        fields = FIELDS


class SmsUsedOutput(serializers.Serializer[Used]):
    """Messages of the last hour; messages, segments and estimated cost of this month."""

    last_hour = serializers.IntegerField()
    messages = serializers.IntegerField()
    segments = serializers.IntegerField()
    cost = serializers.DecimalField(max_digits=12, decimal_places=4)


class SmsPlanOutput(serializers.ModelSerializer[SmsPlan]):
    """The plan, and what was used of it."""

    prices = serializers.DictField(child=serializers.CharField())
    used = SmsUsedOutput(read_only=True)

    class Meta:
        model = SmsPlan
        fields = (*FIELDS, "used")


class SmsPlanViewSet(TenantViewSet):
    """The plan of the tenant for SMS: one row."""

    read_permission = "view_configuration"
    pagination_class = None
    paged = frozenset()

    @extend_schema(summary="Show the SMS plan", responses=SmsPlanOutput)
    def retrieve(self, request: Request) -> Response:
        return Response(self._shown(self._plan()))

    @extend_schema(summary="Change the SMS plan", request=SmsPlanInput, responses=SmsPlanOutput)
    def partial_update(self, request: Request) -> Response:
        plan = self._plan()
        for name, value in self.accept(SmsPlanInput, plan, partial=True).items():
            setattr(plan, name, value)
        clean_instance(plan)
        audit.save_audited(self.principal, plan)
        return Response(self._shown(plan))

    def _plan(self) -> SmsPlan:
        return SmsPlan._default_manager.first() or SmsPlan(tenant_id=self.principal.tenant_id)

    def _shown(self, plan: SmsPlan) -> Any:
        plan.used = used()  # type: ignore[attr-defined]  # read by the output alone
        return SmsPlanOutput(plan).data
