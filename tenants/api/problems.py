"""Problem documents (RFC 9457): every error of the API in one form, with what to do about it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import psycopg2
import structlog
from django.core import exceptions as core
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db import utils as db
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework.request import Request

from tenants.api.field_errors import field_errors, summary
from tenants.api.problem_kinds import KINDS
from tenants.context import has_tenant_context
from tenants.faults import InputRefused, ItemError, is_disk_full

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2

__all__ = ["ItemError", "Problem", "ProblemResponse", "exception_handler", "problem_of", "respond"]


class Problem(Exception):
    """An answer that is not the one hoped for: raise it from any view.

    `code` names the kind (see `problem_kinds`), which gives status and title unless they are said here.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int | None = None,
        title: str = "",
        errors: list[ItemError] | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        kind = KINDS[code] if code in KINDS else KINDS["invalid"]
        self.code = code
        self.status = status or kind.status
        self.title = title or str(kind.title)
        self.detail = detail or self.title
        self.errors = errors or []
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})
        super().__init__(self.detail)


class ProblemResponse(HttpResponse):
    """A problem document as a response; needs no renderer, so it works before and after DRF alike."""

    def __init__(self, problem: Problem, request: HttpRequest | None) -> None:
        self.problem = problem
        content = json.dumps(document(problem, request), cls=DjangoJSONEncoder).encode()
        super().__init__(content, status=problem.status, content_type=CONTENT_TYPE, headers=problem.headers)


def document(problem: Problem, request: HttpRequest | None) -> dict[str, Any]:
    """The members of a problem document."""
    return {
        "type": f"/docs/problems#{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.path if request is not None else None,
        "trace_id": trace_id_of(request),
        "code": problem.code,
        "errors": [msgspec.to_builtins(error) for error in problem.errors],
        **problem.extra,
    }


def trace_id_of(request: HttpRequest | None) -> str:
    """The id that logs and answer share; empty where no middleware gave one."""
    return str(getattr(request, "trace_id", ""))


def respond(error: BaseException, request: HttpRequest | None) -> ProblemResponse:
    """The response to anything that was raised; what nobody foresaw is logged and says nothing of the inside."""
    problem = problem_of(error)
    if problem.status >= 500:
        level = log.error if problem.status == 500 else log.warning
        level(
            "request_failed",
            status=problem.status,
            code=problem.code,
            path=request.path if request is not None else "",
            trace_id=trace_id_of(request),
            exc_info=(type(error), error, error.__traceback__),
        )
    return ProblemResponse(problem, request)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's EXCEPTION_HANDLER. Inside a view's tenant context the answer is an answer, but nothing is kept."""
    if has_tenant_context() and connection.in_atomic_block:
        transaction.set_rollback(True)
    request = context.get("request")
    plain = request._request if isinstance(request, Request) else request
    if isinstance(error, drf.MethodNotAllowed):
        return respond(_of_method(getattr(context.get("view"), "allowed_methods", [])), plain)
    return respond(error, plain)


def problem_of(error: BaseException) -> Problem:
    """The problem that stands for an exception."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, InputRefused):
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        return Problem(error.code, error.detail, status=error.status, errors=error.errors, headers=headers)
    if isinstance(error, drf.APIException):
        return _of_drf(error)
    if isinstance(error, db.Error | psycopg2.Error):
        return _of_database(error)
    return _of_django(error)


def _of_drf(error: drf.APIException) -> Problem:
    if isinstance(error, drf.ValidationError):
        errors = field_errors(error.detail)
        return Problem("invalid", summary(errors), errors=errors)
    headers = {}
    if isinstance(error, drf.AuthenticationFailed | drf.NotAuthenticated):
        # Missing, unknown, expired and revoked keys must look alike, so the words are always the same.
        headers["WWW-Authenticate"] = getattr(error, "auth_header", None) or 'Api-Key realm="api"'
        return Problem("not_authenticated", _("Send a valid API key: Authorization: Api-Key ak_..."), headers=headers)
    if isinstance(error, drf.Throttled):
        seconds = max(1, int(getattr(error, "wait", None) or 1))
        detail = _("Too many requests; try again in %(seconds)d s.") % {"seconds": seconds}
        return Problem("rate_limited", detail, headers={"Retry-After": str(seconds)})
    if isinstance(error, drf.MethodNotAllowed):
        return _of_method([])
    if isinstance(error, drf.UnsupportedMediaType):
        return Problem("unsupported_media_type", _("Send the body as application/json in UTF-8."))
    if isinstance(error, drf.NotAcceptable):
        return Problem("not_acceptable", _("The API answers application/json; leave Accept out or allow that."))
    code = _DRF_CODES.get(error.status_code, "invalid" if error.status_code < 500 else "internal_error")
    return Problem(code, str(error.detail), status=error.status_code)


def _of_method(allowed: Iterable[str]) -> Problem:
    known = ", ".join(sorted(allowed))
    if not known:
        return Problem("method_not_allowed")
    detail = _("This address takes %(allowed)s.") % {"allowed": known}
    return Problem("method_not_allowed", detail, headers={"Allow": known})


_DRF_CODES = {400: "malformed_json", 403: "forbidden", 404: "not_found", 409: "conflict", 503: "unavailable"}


def _of_database(error: Exception) -> Problem:
    cause = error.__cause__ if isinstance(error.__cause__, psycopg2.Error) else error
    if isinstance(cause, db.IntegrityError | psycopg2.IntegrityError):
        return Problem("conflict", _("This collides with something that exists or is still in use."))
    if isinstance(cause, db.DataError | psycopg2.DataError):
        return Problem("invalid", _("A value has a form or size that cannot be stored."))
    if isinstance(cause, db.OperationalError | db.InterfaceError | psycopg2.OperationalError | psycopg2.InterfaceError):
        detail = _("The database cannot answer at the moment; nothing was stored. Try again.")
        if is_disk_full(error):
            detail = _("The database's disk is full; nothing was stored. Tell whoever runs the service, and try again.")
        return Problem("unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return _internal()


def _of_django(error: BaseException) -> Problem:
    if isinstance(error, Http404 | core.ObjectDoesNotExist):
        return Problem("not_found")
    if isinstance(error, core.PermissionDenied):
        return Problem("forbidden", str(error))
    if isinstance(error, core.ValidationError):
        errors = field_errors(_as_detail(error))
        return Problem("invalid", summary(errors), errors=errors)
    if isinstance(error, core.RequestDataTooBig):
        return Problem("too_large")
    if isinstance(error, core.SuspiciousOperation | core.BadRequest | UnreadablePostError):
        return Problem("bad_request")
    return _internal()


def _as_detail(error: core.ValidationError) -> Any:
    if hasattr(error, "error_dict"):
        return drf.ValidationError({name: list(found) for name, found in error.message_dict.items()}).detail
    return drf.ValidationError(error.messages).detail


def _internal() -> Problem:
    return Problem("internal_error", _("Something failed on our side; it has been logged under the trace id."))
