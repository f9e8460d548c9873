"""Addresses with views that fail in every way, for the tests of problem documents."""

from typing import Any

from django.core import exceptions as core
from django.db import utils as db
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from psycopg2.errors import DiskFull
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenants.api.problems import Problem
from tenants.api.query import flag, identifier, integer, moment, one_of, read_query, text
from tenants.faults import InputRefused, ItemError

handler400 = "tenants.api.handlers.bad_request"
handler403 = "tenants.api.handlers.permission_denied"
handler404 = "tenants.api.handlers.not_found"
handler500 = "tenants.api.handlers.server_error"


def disk_full() -> db.OperationalError:
    """As a shared commit raises it: anew in each thread, with what the database said two causes further."""
    told, said = db.OperationalError("inside words"), db.OperationalError("inside words")
    said.__cause__ = DiskFull("could not extend file inside words")
    told.__cause__ = said
    return told


ERRORS: dict[str, Exception] = {
    "problem": Problem("conflict", "Taken.", headers={"X-Extra": "1"}, extra={"hint": "other name"}),
    "refused": InputRefused(400, "empty", "Empty.", [ItemError(3, "/3/a", "empty", "a is empty", 1)]),
    "invalid": drf.ValidationError({"name": ["Too long."], "routes": [{}, {"channel": ["Unknown."]}]}),
    "invalid-list": drf.ValidationError([{}, {"name": ["Too long."]}]),
    "invalid-model": core.ValidationError({"name": "Too long.", "__all__": "Odd."}),
    "invalid-plain": core.ValidationError("Odd."),
    "not-authenticated": drf.NotAuthenticated(),
    "authentication-failed": drf.AuthenticationFailed("expired"),
    "forbidden": drf.PermissionDenied("No."),
    "forbidden-django": core.PermissionDenied("No."),
    "throttled": drf.Throttled(7),
    "parse": drf.ParseError(),
    "missing": Http404("inside words"),
    "missing-row": core.ObjectDoesNotExist("inside words"),
    "too-big": core.RequestDataTooBig("x"),
    "suspicious": core.SuspiciousOperation("x"),
    "integrity": db.IntegrityError("duplicate key value violates unique constraint secret_name"),
    "data": db.DataError("inside words"),
    "disk-full": disk_full(),
    "operational": db.OperationalError("connection to server at 10.0.0.1 lost"),
    "interface": db.InterfaceError("closed"),
    "programming": db.ProgrammingError("inside words"),
    "bug": ZeroDivisionError("inside words"),
}


class Failing(APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request, name: str) -> Response:
        raise ERRORS[name]


class Name(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=5)


class Echo(APIView):
    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        return Response(request.data)

    def put(self, request: Request) -> Response:
        Name(data=request.data).is_valid(raise_exception=True)
        return Response()

    def get(self, request: Request) -> Response:
        readers = {
            "limit": integer(1, 200),
            "status": one_of("firing", "resolved"),
            "text": text(10),
            "since": moment,
            "id": identifier,
            "deep": flag,
            "label": text(10),
        }
        return Response(read_query(request, readers, {"label"}))


def plain(request: HttpRequest, name: str) -> HttpResponse:
    raise ERRORS[name]


urlpatterns = [
    path("api/v1/fail/<slug:name>", Failing.as_view()),
    path("api/v1/echo", Echo.as_view()),
    path("api/v1/plain/<slug:name>", plain),
    path("people/<slug:name>", plain),
]
