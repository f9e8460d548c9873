"""Django's own error pages: problem documents under /api/, HTML for people elsewhere."""

import sys
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults

from tenants.api.problems import respond

_API = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handler of 400: disallowed hosts, malformed requests, bodies above Django's limit."""
    if request.path.startswith(_API):
        return respond(exception, request)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handler of 403."""
    if request.path.startswith(_API):
        return respond(exception if isinstance(exception, PermissionDenied) else PermissionDenied(), request)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handler of 404."""
    if request.path.startswith(_API):
        return respond(Http404(), request)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest, *_args: Any) -> HttpResponse:
    """Handler of 500."""
    if request.path.startswith(_API):
        return respond(sys.exc_info()[1] or RuntimeError(), request)
    return defaults.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Handler of a form sent without its CSRF token (settings.CSRF_FAILURE_VIEW)."""
    if request.path.startswith(_API):
        return respond(PermissionDenied(reason), request)
    return defaults.permission_denied(request, PermissionDenied(reason))
