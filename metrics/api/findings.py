"""REST doors of findings: read them and say what they were worth."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from metrics.api import threshold_bodies as bodies
from metrics.models import Finding
from metrics.trust import verdicts
from tenants.api.filters import PERIOD, row_id, words, yes_or_no
from tenants.api.views import ReadOnlyViewSet


class FindingViewSet(ReadOnlyViewSet):
    """What was found, latest first."""

    noun = "finding"
    read_permission = "view_alerts"
    cursor_field = "raised_at"
    cursor_newest_first = True
    output_serializer = bodies.FindingOutput
    action_permissions = {"feedback": "act_on_alerts"}
    filters = {
        "list": {
            "threshold": row_id(_("Only of this threshold.")),
            "metric": words(256, _("Only of this metric.")),
            "is_open": yes_or_no(_("Only what goes on, or only what is over.")),
            "is_told": yes_or_no(_("Only what became an alert, or only what did not.")),
            **PERIOD,
        }
    }

    def rows(self) -> QuerySet[Finding]:
        rows = Finding._default_manager.all()
        if self.action != "list":
            return rows
        query = self.query
        given = {"threshold_id": "threshold", "metric": "metric", "is_told": "is_told"}
        rows = rows.filter(**{field: query[name] for field, name in given.items() if query.get(name) is not None})
        if query.get("is_open") is not None:
            rows = rows.filter(ended_at__isnull=query["is_open"])
        times = {"raised_at__gte": "since", "raised_at__lt": "until"}
        return rows.filter(**{field: query[name] for field, name in times.items() if query.get(name)})

    @extend_schema(
        summary="Say what a finding was worth", request=bodies.FeedbackInput, responses={201: bodies.FeedbackOutput}
    )
    @action(detail=True, methods=["post"])
    def feedback(self, request: Request, id: str) -> Response:
        """Useful or noise; a second verdict of the same person takes the place of the first."""
        finding = self.get_object()
        given = self.accept(bodies.FeedbackInput)
        feedback = verdicts.give(self.principal, finding, given["verdict"], given.get("note", ""))
        return Response(bodies.FeedbackOutput(feedback).data, status=status.HTTP_201_CREATED)
