"""The short way to the door: machines with a key need no session, no cookies, no CSRF token and no page headers.

Going through all of that costs more than storing the alert. Whatever is not a POST with an API key to one of
the door's addresses takes the ordinary way, where the same views answer the same.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from prometheus_client import Histogram

from alerting.api.intake import take
from tenants.api.authentication import ApiKeyAuthentication
from tenants.api.problems import respond

SOURCES: Final[dict[str, str]] = {
    "/api/v1/alerts": "native",
    "/api/v1/alerts/": "native",
    "/api/v1/integrations/alertmanager": "alertmanager",
    "/api/v1/integrations/alertmanager/": "alertmanager",
}
#: A connection that worked this recently is used without asking it first whether it lives.
TRUST_SECONDS = 2.0

_seconds = Histogram(
    "alerting_intake_seconds",
    "Time to answer a request at the door",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_keys = ApiKeyAuthentication()
_last = threading.local()


class IntakeShortcut:
    """Middleware that answers the door's requests itself; stands after what gives trace ids and bounds bodies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        source = SOURCES.get(request.path_info)
        is_short = source is not None and request.method == "POST" and "HTTP_AUTHORIZATION" in request.META
        if not is_short or source is None or (settings.SECURE_SSL_REDIRECT and not request.is_secure()):
            return self.get_response(request)
        started = time.perf_counter()
        response = _answer(request, source) or self.get_response(request)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Content-Length", str(len(response.content)))
        _seconds.observe(time.perf_counter() - started)
        return response


def _answer(request: HttpRequest, source: str) -> HttpResponse | None:
    """The answer of the door; None when the request carries something else than a key."""
    # The thread still speaks the language of whom it served before.
    asked = "HTTP_ACCEPT_LANGUAGE" in request.META
    translation.activate(translation.get_language_from_request(request) if asked else settings.LANGUAGE_CODE)
    try:
        request.get_host()
        _trust_connection()
        authenticated = _keys.authenticate(request)  # type: ignore[arg-type]  # reads META alone
        if authenticated is None:
            return None
        response = take(request, authenticated[0], source)
    except Exception as error:
        _last.worked_at = 0.0
        return respond(error, request)
    _last.worked_at = time.monotonic()
    return response


def _trust_connection() -> None:
    """Spare a round trip: Django would ask every connection once a request whether it lives."""
    if time.monotonic() - getattr(_last, "worked_at", 0.0) < TRUST_SECONDS:
        connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs lack it
