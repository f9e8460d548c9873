"""REST doors of alerts: send them in, read them and their timelines."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from alerting.api.alert_filters import ALERTS, wanted_of
from alerting.api.alert_serializers import AlertDetailOutput, AlertOutput, TimelineEventOutput
from alerting.api.intake import TakesNativeAlerts
from alerting.api.scanning import ScanningPagination
from alerting.filters import Wanted, expressions
from alerting.matchers import Predicate
from alerting.models import Alert, TimelineEvent
from alerting.selectors import alert_timeline, list_alerts
from tenants.api.views import ReadOnlyViewSet


class FilteredViewSet(ReadOnlyViewSet):
    """A list narrowed by what somebody looks for; expressions are judged row by row."""

    read_permission = "view_alerts"
    pagination_class = ScanningPagination
    cursor_newest_first = True
    predicate: Predicate | None = None

    def wanted(self) -> Wanted:
        """What the list is narrowed to."""
        wanted = wanted_of(self.query)
        self.predicate = expressions(wanted.matchers)
        return wanted

    def timeline(self, rows: QuerySet[TimelineEvent]) -> Response:
        """Answer a page of history, oldest first."""
        self.cursor_field, self.cursor_newest_first = "at", False
        return self.page(rows, TimelineEventOutput)


class AlertViewSet(TakesNativeAlerts, FilteredViewSet):
    """Alerts: the latest state of each fingerprint, last changed first."""

    noun = "alert"
    cursor_field = "changed_at"
    output_serializer = AlertOutput
    filters = {"list": ALERTS}
    paged = frozenset({"list", "history"})
    action_permissions = {"create": "send_alerts"}

    def rows(self) -> QuerySet[Alert]:
        return list_alerts(self.wanted() if self.action == "list" else Wanted())

    def _output(self) -> type[BaseSerializer[Any]]:
        return AlertOutput if self.action == "list" else AlertDetailOutput

    @extend_schema(summary="Show one alert", responses=AlertDetailOutput)
    def retrieve(self, request: Request, id: str) -> Response:
        """With what enrichment changed."""
        return super().retrieve(request, id)

    @extend_schema(summary="Show the history of an alert", responses=TimelineEventOutput(many=True))
    @action(detail=True, methods=["get"], url_path="timeline")
    def history(self, request: Request, id: str) -> Response:
        """What was decided about it, oldest first: also why somebody was not told."""
        return self.timeline(alert_timeline(self.get_object().pk))
