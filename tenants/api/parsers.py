"""Reads request bodies: JSON in UTF-8 only, bounded before it is read, strict in what it takes."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import IO, Any, Final

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from tenants import strict_json
from tenants.api.problems import Problem, respond
from tenants.api.query import check_encoding

MAX_BODY_BYTES: Final = 1_048_576
MAX_CONFIGURATION_BYTES: Final = 262_144


class StrictJSONParser(BaseParser):
    """The one parser of the API. A view that takes more than configuration says so in `max_body_bytes`."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        context = parser_context or {}
        limit = getattr(context.get("view"), "max_body_bytes", MAX_CONFIGURATION_BYTES)
        request = context["request"]
        return strict_json.loads(read_body(getattr(request, "_request", request), limit))


class StrictRequestMiddleware:
    """Refuses under /api/, before anything is read, what no route takes; gives chunked bodies a length."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/"):
            try:
                check_encoding(request)
                _check_compression(request)
                _check_length(_length_of(request), MAX_BODY_BYTES)
                _bound_chunks(request)
            except Problem as problem:
                return respond(problem, request)
        return self.get_response(request)


def read_body(request: HttpRequest, limit: int) -> bytes:
    """The bytes of a JSON body of at most `limit` bytes; raises Problem 413 before reading more, 415 for others."""
    check_content_type(request)
    _check_compression(request)
    return read_bytes(request, limit)


def read_bytes(request: HttpRequest, limit: int) -> bytes:
    """The bytes of a body of any kind; the caller has looked at its type and compression."""
    length = _length_of(request)
    _check_length(length, limit)
    try:
        body = request.read(length)
    except (UnreadablePostError, OSError) as error:
        raise Problem("bad_request", _("The connection ended before the whole body had come.")) from error
    if len(body) < length:
        raise Problem("bad_request", _("The body is shorter than its Content-Length."))
    return body


def check_content_type(request: HttpRequest) -> None:
    """Refuse what is not application/json in UTF-8."""
    if request.content_type != "application/json":
        raise Problem("unsupported_media_type", _("Send the body as Content-Type: application/json."))
    charset = (request.content_params or {}).get("charset", "utf-8").strip("\"'").lower()
    if charset not in {"utf-8", "utf8"}:
        raise Problem("unsupported_media_type", _("Encode the body as UTF-8 and say so, or leave charset out."))


def _check_compression(request: HttpRequest) -> None:
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    # Prometheus's remote write is compressed by its definition; no view that reads JSON takes that type.
    if encoding == "snappy" and request.content_type == "application/x-protobuf":
        return
    if encoding not in {"", "identity"}:
        raise Problem("unsupported_media_type", _("Compressed bodies are not taken; leave out Content-Encoding."))


def _length_of(request: HttpRequest) -> int:
    given = request.META.get("CONTENT_LENGTH") or "0"
    if not (given.isascii() and given.isdigit()) or len(given) > 18:
        raise Problem("bad_request", _("Content-Length must be a whole number."))
    return int(given)


def _check_length(length: int, limit: int) -> None:
    if length > limit:
        message = _("The body has %(count)d bytes; the limit here is %(limit)d. Send several requests.")
        raise Problem("too_large", message % {"count": length, "limit": limit})


def _bound_chunks(request: HttpRequest) -> None:
    """Read a chunked body up to the limit and hand it on with its length: WSGI readers go by Content-Length alone."""
    is_chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    if not is_chunked or request.META.get("CONTENT_LENGTH"):
        return
    try:
        body = request.META["wsgi.input"].read(MAX_BODY_BYTES + 1)
    except OSError as error:
        raise Problem("bad_request", _("The connection ended before the whole body had come.")) from error
    if len(body) > MAX_BODY_BYTES:
        message = _("The body is larger than %(limit)d bytes. Send several requests.")
        raise Problem("too_large", message % {"limit": MAX_BODY_BYTES})
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)  # what WSGIRequest reads from
