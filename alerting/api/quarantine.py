"""REST doors of the quarantine: see what could not be taken, mend it, replay it, or throw it away."""

import json
from typing import Any

import msgspec
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerting import quarantine
from alerting.api.alert_serializers import AnyField
from alerting.models import QuarantinedAlert
from alerting.selectors import list_quarantine
from tenants import strict_json
from tenants.api.filters import choice
from tenants.api.inputs import StrictSerializer
from tenants.api.schema import FaultOutput
from tenants.api.views import ReadOnlyViewSet
from tenants.faults import InputRefused


class QuarantinedAlertOutput(serializers.ModelSerializer[QuarantinedAlert]):
    """An item that could not be taken: what came, and what is wrong with it."""

    intake = serializers.UUIDField(source="intake_id", allow_null=True)
    item = serializers.SerializerMethodField()
    raw = serializers.SerializerMethodField()
    errors = FaultOutput(many=True)  # type: ignore[assignment]  # a field, not the serializer's own errors

    class Meta:
        model = QuarantinedAlert
        fields = (
            "id",
            "intake",
            "source",
            "item_index",
            "item",
            "raw",
            "errors",
            "state",
            "received_at",
            "settled_at",
            "settled_by",
        )

    @extend_schema_field(AnyField)
    def get_item(self, row: QuarantinedAlert) -> Any:
        """The item where it is JSON, else null."""
        try:
            item, faults = strict_json.examine(bytes(row.raw))
        except InputRefused:
            return None
        # What JSON cannot carry (half a character, NaN) would break the answer; `raw` shows it.
        return None if faults else item

    @extend_schema_field({"type": "string"})
    def get_raw(self, row: QuarantinedAlert) -> str:
        """The item as text; bytes that are none are replaced."""
        return bytes(row.raw).decode("utf-8", "replace")


@extend_schema_field({"type": "object"})
class AlertBodyField(serializers.DictField):
    """An alert in the format of its source."""


class ReplayInput(StrictSerializer):
    """The mended item; without it the item is tried again as it came."""

    alert = AlertBodyField(required=False)


class ReplayedOutput(serializers.Serializer[Any]):
    """The intake request the item became."""

    id = serializers.UUIDField()
    accepted = serializers.IntegerField()


class DiscardInput(StrictSerializer):
    """Why the item is given up."""

    reason = serializers.CharField(required=False, max_length=500, allow_blank=True)


class QuarantineViewSet(ReadOnlyViewSet):
    """Items the door could not take, newest first."""

    noun = "quarantined alert"
    read_permission = "view_alerts"
    write_permission = "replay_deliveries"
    cursor_field = "received_at"
    cursor_newest_first = True
    output_serializer = QuarantinedAlertOutput
    filters = {"list": {"state": choice(*QuarantinedAlert.State.values)}}

    def rows(self) -> QuerySet[QuarantinedAlert]:
        return list_quarantine(self.query.get("state"))

    @extend_schema(summary="Replay a quarantined alert", request=ReplayInput, responses={202: ReplayedOutput})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, id: str) -> Response:
        """Sends it in again, mended by the body or as it came. What is still faulty stays in quarantine."""
        item = self.get_object()
        fixed = self.accept(ReplayInput).get("alert")
        try:
            body = None if fixed is None else json.dumps(fixed).encode()
            accepted = quarantine.replay(self.principal, item.pk, body)
        except InputRefused as refused:
            errors = [msgspec.structs.replace(one, pointer=f"/alert{one.pointer}") for one in refused.errors]
            raise InputRefused(refused.status, refused.code, refused.detail, errors) from refused
        return Response({"id": str(accepted.id), "accepted": accepted.accepted}, status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Discard a quarantined alert", request=DiscardInput, responses={204: None})
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, id: str) -> Response:
        """Gives it up; it stays readable for a while."""
        item = self.get_object()
        quarantine.discard(self.principal, item.pk, self.accept(DiscardInput).get("reason", ""))
        return Response(status=status.HTTP_204_NO_CONTENT)
