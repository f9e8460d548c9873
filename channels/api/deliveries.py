"""REST doors of deliveries: what was told, with every attempt, and dead letters to replay."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from channels.api.serializers import DeliveryDetailOutput, DeliveryOutput
from channels.delivery import IllegalStep, dismiss, replay
from channels.models import Delivery, DeliveryState
from channels.selectors import deliveries_with_attempts, list_deliveries
from tenants.api.filters import PERIOD, Filter, row_id, words
from tenants.api.inputs import NoInput
from tenants.api.problems import Problem
from tenants.api.query import one_of
from tenants.api.views import ReadOnlyViewSet

STATES = list(DeliveryState.values)
CONDITIONS = {
    "state": "state__in",
    "channel": "channel_id",
    "source": "source_id",
    "recipient": "recipient",
    "since": "created_at__gte",
    "until": "created_at__lt",
}


class DeliveryViewSet(ReadOnlyViewSet):
    """Deliveries, newest first; dead letters are those in the state dead."""

    noun = "delivery"
    read_permission = "view_alerts"
    write_permission = "replay_deliveries"
    cursor_field = "created_at"
    cursor_newest_first = True
    output_serializer = DeliveryOutput
    filters = {
        "list": {
            "state": Filter(one_of(*STATES), {"type": "string", "enum": STATES}, is_repeatable=True),
            "channel": row_id(),
            "source": row_id(gettext_lazy("The alert group it is about.")),
            "recipient": words(320),
            **PERIOD,
        }
    }

    def rows(self) -> QuerySet[Delivery]:
        if self.action == "retrieve":
            return deliveries_with_attempts()
        return list_deliveries({CONDITIONS[name]: self.query[name] for name in CONDITIONS if name in self.query})

    def _output(self) -> type[BaseSerializer[Any]]:
        return DeliveryOutput if self.action == "list" else DeliveryDetailOutput

    @extend_schema(summary="Show a delivery with its attempts", responses=DeliveryDetailOutput)
    def retrieve(self, request: Request, id: str) -> Response:
        """With every call to the provider and the message it carries."""
        return super().retrieve(request, id)

    @extend_schema(summary="Replay a dead letter", request=NoInput, responses={202: DeliveryDetailOutput})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, id: str) -> Response:
        """Queues it anew with all its chances; only a dead letter can be replayed."""
        delivery = self.get_object()
        self.accept(NoInput)
        try:
            replay(self.principal, delivery.pk)
        except IllegalStep as error:
            raise Problem("conflict", str(error)) from error
        found = deliveries_with_attempts().get(pk=delivery.pk)
        return Response(DeliveryDetailOutput(found).data, status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Lay a dead letter aside", request=NoInput, responses={200: DeliveryDetailOutput})
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, id: str) -> Response:
        """It ends as cancelled, with who did it: nobody needs to hear it any more."""
        delivery = self.get_object()
        self.accept(NoInput)
        try:
            dismiss(self.principal, delivery.pk)
        except IllegalStep as error:
            raise Problem("conflict", str(error)) from error
        return Response(DeliveryDetailOutput(deliveries_with_attempts().get(pk=delivery.pk)).data)
