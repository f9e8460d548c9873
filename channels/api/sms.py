"""REST doors of SMS: the plan with what was used of it, and the numbers that want none."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Channel, SmsOptOut, SmsPlan
from channels.sms.numbers import InvalidNumber, read_number
from channels.sms.usage import Used, used
from tenants import audit
from tenants.api.filters import row_id, words
from tenants.api.inputs import RowField, StrictModelSerializer, clean_instance
from tenants.api.views import ConfigurationViewSet, TenantViewSet

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


class SmsOptOutInput(StrictModelSerializer):
    """A number that wants no SMS of a channel, and how that is known."""

    channel = RowField(Channel)
    number = serializers.CharField(max_length=40)
    source = serializers.CharField(max_length=80, required=False)  # type: ignore[assignment]  # a column of that name

    class Meta:
        model = SmsOptOut
        fields = ("channel", "number", "source")

    def validate_number(self, text: str) -> str:
        try:
            return read_number(text)
        except InvalidNumber as error:
            raise serializers.ValidationError(str(error)) from error

    def validate_channel(self, channel: Channel) -> Channel:
        if channel.kind != "sms":
            raise serializers.ValidationError(_("This is no channel for SMS."))
        return channel


class SmsOptOutOutput(serializers.ModelSerializer[SmsOptOut]):
    """A number that wants no SMS of a channel."""

    channel = serializers.UUIDField(source="channel_id")

    class Meta:
        model = SmsOptOut
        fields = ("id", "channel", "number", "source", "opted_out_at")


class SmsOptOutViewSet(ConfigurationViewSet):
    """Numbers without SMS: who wrote STOP, or asked a person here. Only with their word is one taken off again."""

    model = SmsOptOut
    noun = "number without SMS"
    http_method_names = ["get", "head", "options", "post", "delete"]
    input_serializer = SmsOptOutInput
    output_serializer = SmsOptOutOutput
    filters = {"list": {"channel": row_id(), "number": words(20)}}

    def rows(self) -> QuerySet[SmsOptOut]:
        wanted = self.query if self.action == "list" else {}
        found = {"channel_id": wanted.get("channel"), "number": wanted.get("number")}
        return SmsOptOut._default_manager.filter(**{name: value for name, value in found.items() if value})

    def store(self, instance: Any, values: dict[str, Any]) -> None:
        super().store(instance, {"source": self.principal.label[:80], **values})
