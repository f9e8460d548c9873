"""REST doors of samples: JSON pushes, and Prometheus's remote write. No serializer stands on this path."""

from typing import Any, cast

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from metrics.decoding import limits, naming
from metrics.decoding.push import Decoded, decode_push
from metrics.intake import accept, admit
from metrics.remote_write.decoding import decode_write
from tenants.api.parsers import read_body, read_bytes
from tenants.api.problems import Problem, respond
from tenants.api.query import read_query
from tenants.api.schema import FaultOutput
from tenants.principal import SEND_METRICS, Principal

PROTOBUF = "application/x-protobuf"
#: Version 2 names its message in the content type and is refused, whereupon Prometheus falls back to version 1.
VERSION_1 = "prometheus.WriteRequest"


class SeriesInput(serializers.Serializer[Any]):
    """One series of a push."""

    metric = serializers.CharField(max_length=limits.MAX_METRIC, help_text=f"Matches {naming.METRIC_PATTERN}.")
    labels = serializers.DictField(
        child=serializers.CharField(max_length=limits.MAX_LABEL_VALUE, allow_blank=True), required=False
    )
    unit = serializers.CharField(max_length=limits.MAX_UNIT, required=False, allow_blank=True)
    kind = serializers.ChoiceField(["gauge", "counter"], required=False)
    samples = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        min_length=1,
        help_text="Pairs of a time (seconds since 1970) and a value.",
    )


class PushInput(serializers.Serializer[Any]):
    """A push of samples."""

    series = serializers.ListField(child=SeriesInput(), min_length=1, max_length=limits.MAX_SERIES)


class PushOutput(serializers.Serializer[Any]):
    """What was taken and what was not."""

    accepted = serializers.IntegerField(help_text="Samples that are stored; their quality is judged afterwards.")
    rejected = serializers.IntegerField(help_text="Series that could not be read.")
    errors = FaultOutput(many=True)  # type: ignore[assignment]  # a field of that name, not the serializer's errors


EXAMPLE = OpenApiExample(
    "Two metrics of a player",
    value={
        "series": [
            {
                "metric": "skip_rate",
                "labels": {"service": "recommendations", "region": "eu-west-1"},
                "unit": "ratio",
                "samples": [[1767225600, 0.21], [1767225660, 0.24]],
            },
            {"metric": "streams_total", "kind": "counter", "samples": [[1767225600, 918273]]},
        ]
    },
    request_only=True,
)


class _Door(APIView):
    # DRF asks for permission before it looks whether there is such a method.
    write_permission = read_permission = SEND_METRICS

    def admit(self, request: Request) -> tuple[HttpRequest, Principal]:
        principal = cast(Principal, request.user)
        read_query(request, {})
        admit(principal)
        return request._request, principal


class PushView(_Door):
    """POST /api/v1/metrics."""

    @extend_schema(
        operation_id="metrics_send",
        summary="Send samples of metrics",
        description="At most 10,000 series, 50,000 samples and 1 MiB. A sample that was sent before counts once.",
        examples=[EXAMPLE],
        request=PushInput,
        responses={202: OpenApiResponse(PushOutput, "The readable series are stored.")},
    )
    def post(self, request: Request) -> HttpResponse:
        """Take samples in JSON."""
        plain, principal = self.admit(request)
        decoded = decode_push(read_body(plain, limits.MAX_BODY_BYTES))
        accepted = accept(principal, "push", decoded)
        if not accepted:
            return respond(_left_out(decoded), plain)
        document = {"accepted": accepted, "rejected": decoded.rejected, "errors": decoded.faults}
        return HttpResponse(msgspec.json.encode(document), "application/json", 202)


class RemoteWriteView(_Door):
    """POST /api/v1/metrics/remote-write."""

    @extend_schema(
        operation_id="metrics_remote_write",
        summary="Receive Prometheus's remote write (version 1.0)",
        description=(
            "Protobuf compressed with snappy. Answers 204; 400 when series had to be left out (the others are stored);"
            " 429 and 503 with Retry-After when it is too much."
        ),
        request={PROTOBUF: OpenApiTypes.BINARY},
        responses={204: OpenApiResponse(description="The samples are stored.")},
    )
    def post(self, request: Request) -> HttpResponse:
        """Take samples from a Prometheus."""
        plain, principal = self.admit(request)
        _check_protobuf(plain)
        decoded = decode_write(read_bytes(plain, limits.MAX_BODY_BYTES))
        accept(principal, "remote_write", decoded)
        if decoded.faults:
            return respond(_left_out(decoded), plain)
        return HttpResponse(status=204)


def _check_protobuf(request: HttpRequest) -> None:
    message = (request.content_params or {}).get("proto", VERSION_1).strip('"')
    if request.content_type != PROTOBUF or message != VERSION_1:
        raise Problem("unsupported_media_type", _("Send Prometheus's remote write 1.0 as application/x-protobuf."))
    if request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower() != "snappy":
        raise Problem("unsupported_media_type", _("Compress the body with snappy and say so in Content-Encoding."))


def _left_out(decoded: Decoded) -> Problem:
    detail = decoded.faults[0].message if decoded.faults else ""
    counts = {"accepted": decoded.parcel.samples, "rejected": decoded.rejected}
    return Problem(
        "invalid" if decoded.parcel.samples else "no_sample_accepted", detail, errors=decoded.faults, extra=counts
    )
