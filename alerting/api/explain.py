"""The REST door of explain: every decision about an alert, before it is sent or after it came."""

import re
from datetime import datetime
from typing import Any

import msgspec
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alerting.explain import Explanation, explain, explain_alert, explain_group, is_near
from alerting.explain.story import StepKind, Verdict
from tenants.api.inputs import StrictSerializer
from tenants.api.views import TenantViewSet

CHOICES = ("alert", "alert_id", "group_id")
ZONE = re.compile(r"(?:[Zz]|[+-]\d\d:?\d\d)$")
VERDICTS = [verdict.value for verdict in Verdict]


class NearTimeField(serializers.DateTimeField):
    """A time with its zone, at most a year away."""

    default_error_messages = {
        "zone": _("Name the zone, as in 2026-01-31T08:00:00Z."),
        "far": _("Give a time at most a year away."),
    }

    def to_internal_value(self, value: Any) -> datetime:
        try:
            given: datetime = super().to_internal_value(value)
        except OverflowError:
            self.fail("far")
        if isinstance(value, str) and ZONE.search(value) is None:
            self.fail("zone")
        if not is_near(given):
            self.fail("far")
        return given


class ExplainInput(StrictSerializer):
    """What to explain: an alert in the native form, or a known alert or group by its id."""

    alert = serializers.DictField(required=False, help_text=_("An alert as it would be sent. Nothing is stored."))
    at = NearTimeField(required=False, help_text=_("With an alert: judge it as if it came in then, not now."))
    alert_id = serializers.UUIDField(required=False, help_text=_("Tell what was decided about this alert."))
    group_id = serializers.UUIDField(required=False, help_text=_("Tell what was decided about this group."))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in CHOICES if name in attrs]
        if len(given) != 1:
            message = _("Give exactly one of alert, alert_id and group_id.")
            raise serializers.ValidationError({name: [message] for name in given or CHOICES}, "one_of")
        if "at" in attrs and "alert" not in attrs:
            message = _("What was decided is told as it is stored; leave at out, or give an alert.")
            raise serializers.ValidationError({"at": [message]}, "not_here")
        return attrs


class DetailOutput(serializers.Serializer[Any]):
    """One fact behind a step; a route tree and attempts nest."""

    verdict = serializers.ChoiceField(VERDICTS)
    sentence = serializers.CharField()
    code = serializers.CharField(allow_blank=True)
    subject = serializers.CharField(allow_blank=True, help_text="What kind of row it is about.")
    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)
    data = serializers.DictField()  # type: ignore[assignment]
    details = serializers.ListField(child=serializers.DictField(), help_text="More of these.")


class StepOutput(serializers.Serializer[Any]):
    """One decision."""

    kind = serializers.ChoiceField([kind.value for kind in StepKind])
    verdict = serializers.ChoiceField(VERDICTS)
    title = serializers.CharField()
    sentence = serializers.CharField()
    details = DetailOutput(many=True)


class DestinationOutput(serializers.Serializer[Any]):
    """One who might be told."""

    channel_id = serializers.UUIDField()
    channel = serializers.CharField()
    kind = serializers.CharField()
    recipient = serializers.CharField(allow_blank=True)
    is_told = serializers.BooleanField()
    reason = serializers.CharField(help_text="Why, or why not.")
    verdict = serializers.ChoiceField(VERDICTS)
    sentence = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    held_until = serializers.DateTimeField(allow_null=True)


class RenderedOutput(serializers.Serializer[Any]):
    """A message as its channel would get it."""

    channel_id = serializers.UUIDField()
    channel = serializers.CharField()
    kind = serializers.CharField()
    recipient = serializers.CharField(help_text="Who reads it so; the first whom the channel tells.")
    locale = serializers.CharField()
    parts = serializers.DictField(child=serializers.CharField())
    types = serializers.DictField(child=serializers.CharField())
    problems = serializers.ListField(child=serializers.CharField())
    drawing = serializers.CharField(
        allow_blank=True, help_text="A page of HTML that shows the message as its reader sees it, where parts say less."
    )


class SubjectOutput(serializers.Serializer[Any]):
    """What is explained."""

    kind = serializers.ChoiceField(["imagined", "alert", "group"])
    title = serializers.CharField()
    id = serializers.UUIDField(allow_null=True)
    labels = serializers.DictField(child=serializers.CharField())


class ExplanationOutput(serializers.Serializer[Any]):
    """Every decision, in order."""

    subject = SubjectOutput()
    at = serializers.DateTimeField()
    time_zone = serializers.CharField()
    is_prediction = serializers.BooleanField(help_text="True for what would happen, false for what did.")
    verdict = serializers.ChoiceField(VERDICTS)
    summary = serializers.CharField()
    steps = StepOutput(many=True)
    destinations = DestinationOutput(many=True)
    messages = RenderedOutput(many=True)


class ExplainViewSet(TenantViewSet):
    """Every decision about an alert, in order and in words; nothing is written."""

    action_permissions = {"create": "view_alerts"}
    read_permission = "view_alerts"
    max_body_bytes = 262_144

    @extend_schema(summary="Explain an alert", request=ExplainInput, responses={200: ExplanationOutput})
    def create(self, request: Request) -> Response:
        """Give an alert to see what would happen to it: who would be told, where and when, and why others not.

        Give `alert_id` or `group_id` to see what was decided and what became of each message.
        """
        wanted = self.accept(ExplainInput)
        return Response(msgspec.to_builtins(self._explain(wanted)))

    def _explain(self, wanted: dict[str, Any]) -> Explanation:
        tenant_id = self.principal.tenant_id
        if "alert" in wanted:
            return explain(tenant_id, wanted["alert"], wanted.get("at"))
        found = (
            explain_alert(tenant_id, wanted["alert_id"])
            if "alert_id" in wanted
            else explain_group(tenant_id, wanted["group_id"])
        )
        if found is None:
            raise Http404
        return found
