"""What every request carries: a trace id, the client's address, and for signed-in people their tenant."""

import ipaddress
import secrets
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from tenants.sessions import principal_of_session

Handler = Callable[[HttpRequest], HttpResponse]


def client_ip(request: HttpRequest) -> str | None:
    """Return the caller's address; a forwarded one counts only from a trusted proxy."""
    remote = request.META.get("REMOTE_ADDR") or None
    if remote in settings.TRUSTED_PROXIES:
        remote = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or remote
    try:
        return str(ipaddress.ip_address(remote)) if remote else None
    except ValueError:
        return None


class RequestContextMiddleware:
    """Give each request a trace id that logs, problem documents and the response share."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.trace_id = secrets.token_hex(8)  # type: ignore[attr-defined]  # read back by problems and intake
        request.client_ip = client_ip(request)  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(trace_id=request.trace_id)  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers["X-Trace-Id"] = request.trace_id  # type: ignore[attr-defined]
        return response


class TenantSessionMiddleware:
    """For a signed-in person, find the tenant their session works in and speak their language."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = getattr(request, "user", None)
        request.principal = request.tenant = None  # type: ignore[attr-defined]
        if user is None or not user.is_authenticated or request.path.startswith(("/health/", "/static/")):
            return self.get_response(request)
        principal_of_session(request)
        tenant = request.tenant  # type: ignore[attr-defined]
        language = user.locale or (tenant.locale if tenant else "")
        zone = user.time_zone or (tenant.time_zone if tenant else "UTC")
        with timezone.override(zone):
            if not language:
                return self.get_response(request)
            with translation.override(language):
                return self.get_response(request)
