"""Health answers: alive (the process runs) and ready (it can take requests)."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from alerting.exposition import exposition
from alerting.health import readiness


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Answer as long as the process runs."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when requests can be taken, else 503 with what is missing."""
    state = readiness()
    body = {"status": "ok" if state.is_ready else "unavailable", "problems": state.problems}
    return JsonResponse(body, status=200 if state.is_ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus; figures of the service, none of a tenant."""
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
