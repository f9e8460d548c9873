"""The REST door for alerts: reads bytes, calls the decoder and `accept`, answers. No serializer stands on this path."""

import hashlib
from typing import Any, cast

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerting import backlog, rate_limit
from alerting.api.examples import ALERTMANAGER, NATIVE
from alerting.api.intake_schema import AcceptedOutput, AlertInput, AlertmanagerInput, IntakeOutput
from alerting.decoding import decoder
from alerting.decoding.limits import MAX_BODY_BYTES
from alerting.intake import Accepted, accept
from alerting.models import IntakeRequest
from tenants.api.parsers import read_body
from tenants.api.problems import Problem, respond, trace_id_of
from tenants.api.query import read_query
from tenants.api.views import TenantViewSet
from tenants.principal import Principal

MAX_KEY_LENGTH = 255
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="The same key with the same body is stored once; the answer is repeated for 48 hours.",
)


def take(request: HttpRequest, principal: Principal, source: str) -> HttpResponse:
    """Accept the alerts of a request: all the door does, whichever way the request came."""
    principal.require("send_alerts")
    read_query(request, {})
    key = _idempotency_key(request)
    backlog.check(principal.tenant_id)
    body = read_body(request, MAX_BODY_BYTES)
    decoded = decoder(source)(body, timezone.now())
    rate_limit.check(principal, len(decoded.alerts) + decoded.rejected_count)
    accepted = accept(
        principal,
        source,
        decoded,
        idempotency_key=key,
        body_sha256=hashlib.sha256(source.encode() + b"\0" + body).digest() if key else b"",
        trace_id=trace_id_of(request),
    )
    return _answer(accepted, request)


def _idempotency_key(request: HttpRequest) -> str | None:
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY_LENGTH or not all("!" <= sign <= "~" for sign in key):
        message = _("Idempotency-Key must have 1 to %(limit)d printable ASCII signs without blanks.")
        raise Problem("bad_request", message % {"limit": MAX_KEY_LENGTH})
    return key


def _answer(accepted: Accepted, request: HttpRequest) -> HttpResponse:
    headers = {"Idempotency-Replayed": "true"} if accepted.is_replayed else {}
    if not accepted.accepted:
        detail = ngettext(
            "The alert could not be accepted; it waits in quarantine to be fixed.",
            "None of the %(count)d alerts could be accepted; they wait in quarantine to be fixed.",
            accepted.rejected,
        )
        counts = {"id": str(accepted.id), "accepted": 0, "rejected": accepted.rejected}
        problem = Problem("nothing_accepted", detail % {"count": accepted.rejected}, headers=headers)
        problem.extra = {**counts, "errors": accepted.errors}
        return respond(problem, request)
    document = {
        "id": accepted.id,
        "accepted": accepted.accepted,
        "rejected": accepted.rejected,
        "errors": accepted.errors,
    }
    headers["Location"] = f"/api/v1/intake/{accepted.id}"
    return Stored(msgspec.json.encode(document), "application/json", 202, headers=headers)


class Stored(HttpResponse):
    """The answer to a request that was stored.

    Django would tidy connections and caches once more after it, as it does before every request: a tenth of the
    door's time, for nothing left to tidy.
    """

    def close(self) -> None:
        self.closed = True


ANSWERS = {202: OpenApiResponse(AcceptedOutput, "The valid alerts are stored; the others are in quarantine.")}


class TakesNativeAlerts(APIView):
    """POST /api/v1/alerts, to be mixed into the view set of that address; most come by `alerting.api.shortcut`."""

    @extend_schema(
        operation_id="alerts_send",
        summary="Send alerts",
        examples=NATIVE,
        description="One alert or an array of at most 1,000, at most 1 MiB.",
        request=AlertInput(many=True),
        responses=ANSWERS,
        parameters=[IDEMPOTENCY_KEY],
    )
    def create(self, request: Request) -> HttpResponse:
        """Take alerts in the native format."""
        return take(request._request, cast(Principal, request.user), "native")


class AlertmanagerIntakeView(APIView):
    """POST /api/v1/integrations/alertmanager/; most come by `alerting.api.shortcut`."""

    write_permission = "send_alerts"
    # DRF asks for permission before it looks whether there is such a method.
    read_permission = "send_alerts"

    @extend_schema(
        operation_id="alertmanager_send",
        summary="Receive Alertmanager's webhook (version 4)",
        examples=ALERTMANAGER,
        request=AlertmanagerInput,
        responses=ANSWERS,
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> HttpResponse:
        """Take alerts as Alertmanager sends them."""
        return take(request._request, cast(Principal, request.user), "alertmanager")


class MayFollow(BasePermission):
    """Whoever may send alerts or see them may ask what became of a request."""

    def has_permission(self, request: Request, view: Any) -> bool:
        actor: object = request.user
        if not isinstance(actor, Principal):
            return False
        self.message = actor.refusal("send_alerts", "view_alerts")
        return actor.can("send_alerts") or actor.can("view_alerts")


class IntakeRequestViewSet(TenantViewSet):
    """GET /api/v1/intake/{id}: what became of an accepted request."""

    noun = "intake request"
    read_permission = "view_alerts"
    permission_classes = (MayFollow,)
    http_method_names = ("get", "head", "options")

    def rows(self) -> Any:
        return IntakeRequest._default_manager.defer("body")

    @extend_schema(responses=IntakeOutput, summary="Show what became of a request")
    def retrieve(self, request: Request, id: str) -> Response:
        return Response(IntakeOutput(self.get_object()).data)
