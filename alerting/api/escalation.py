"""REST doors of escalation: policies, the next steps of a group, and who would be called."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alerting import validation
from alerting.api.fields import ArrayField
from alerting.escalation import next_steps, would_be_called
from alerting.models import AlertGroup, EscalationPolicy
from channels.selectors import database_now
from tenants.api.inputs import SecondsField, StrictModelSerializer, StrictSerializer
from tenants.api.query import identifier
from tenants.api.views import ConfigurationViewSet, TenantViewSet

TARGET = {
    "type": "object",
    "required": ["kind", "id"],
    "additionalProperties": False,
    "properties": {
        "kind": {"type": "string", "enum": ["schedule", "member", "channel"]},
        "id": {"type": "string", "format": "uuid"},
        "via": {"type": "string", "description": "A kind of channel, instead of the person's own rules."},
    },
}
LEVEL = {
    "type": "object",
    "required": ["wait", "targets"],
    "additionalProperties": False,
    "properties": {
        "wait": {"type": "integer", "minimum": 0, "maximum": 86400, "description": "Seconds after the level before."},
        "targets": {"type": "array", "items": TARGET, "minItems": 1, "maxItems": 20},
        "importance": {"type": "string", "enum": ["normal", "urgent"], "default": "urgent"},
    },
}


@extend_schema_field({"type": "array", "items": LEVEL, "minItems": 1, "maxItems": 20})
class LevelsField(ArrayField):
    """The levels of a policy; judged by `alerting.escalation.checking`."""


class EscalationPolicyInput(StrictModelSerializer):
    """An escalation policy; times in seconds."""

    levels = LevelsField()
    repeat_count = serializers.IntegerField(min_value=0, max_value=20, required=False)
    repeat_wait = SecondsField(lowest=60, highest=86_400, required=False)
    acknowledge_timeout = SecondsField(lowest=60, highest=7 * 86_400, required=False, allow_null=True)

    class Meta:
        model = EscalationPolicy
        fields = ("name", "levels", "repeat_count", "repeat_wait", "acknowledge_timeout")


class EscalationPolicyOutput(serializers.ModelSerializer[EscalationPolicy]):
    """An escalation policy. What runs keeps the policy as it was when it started."""

    levels = LevelsField()
    repeat_wait = SecondsField()
    acknowledge_timeout = SecondsField(allow_null=True)

    class Meta:
        model = EscalationPolicy
        fields = ("id", *EscalationPolicyInput.Meta.fields)


class EscalationPolicyViewSet(ConfigurationViewSet):
    """Whom to call while nobody acknowledges."""

    model = EscalationPolicy
    noun = "escalation policy"
    input_serializer = EscalationPolicyInput
    output_serializer = EscalationPolicyOutput

    def check(self, instance: Any) -> None:
        validation.check(instance)


class NextStepOutput(serializers.Serializer[Any]):
    """One call that comes if nothing changes; `nobody` says why it would reach no one."""

    at = serializers.DateTimeField()
    whom = serializers.CharField()
    how = serializers.CharField(help_text="The kind of channel.")
    recipient = serializers.CharField()
    policy = serializers.CharField()
    level = serializers.IntegerField()
    schedule = serializers.CharField()
    nobody = serializers.CharField()


class StepsOutput(serializers.Serializer[Any]):
    """Calls in the order of time."""

    steps = NextStepOutput(many=True)


class ForetellInput(StrictSerializer):
    """The labels of a made-up alert, and when it is told; now unless given."""

    labels = serializers.DictField(child=serializers.CharField(max_length=1024, allow_blank=True), allow_empty=False)
    at = serializers.DateTimeField(required=False)


class NextStepsViewSet(TenantViewSet):
    """What a group's escalations do next."""

    read_permission = "view_alerts"
    paged = frozenset()
    pagination_class = None

    @extend_schema(summary="Show whom a group calls next", responses=StepsOutput)
    def retrieve(self, request: Request, id: str) -> Response:
        try:
            group_id = identifier(id)
        except ValueError as error:
            raise Http404 from error
        if not AlertGroup._default_manager.filter(pk=group_id).exists():
            raise Http404
        return Response(StepsOutput({"steps": next_steps(group_id)}).data)


class ForetellViewSet(TenantViewSet):
    """Who would be called for an alert at any time."""

    read_permission = "view_alerts"
    write_permission = "view_alerts"
    paged = frozenset()
    pagination_class = None

    @extend_schema(summary="Show whom an alert would call", request=ForetellInput, responses={200: StepsOutput})
    def create(self, request: Request) -> Response:
        """By the escalation policies its labels are routed to, were it never acknowledged."""
        wanted = self.accept(ForetellInput)
        steps = would_be_called(wanted["labels"], wanted.get("at") or database_now())
        return Response(StepsOutput({"steps": steps}).data)
