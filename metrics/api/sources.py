"""REST doors of metric sources."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.api.credentials import take_credentials
from channels.validation import credentials_of
from metrics import source_validation
from metrics.api import source_bodies as bodies
from metrics.collecting import Trial, try_source
from metrics.collectors.registry import COLLECTORS
from metrics.models import Source
from tenants import audit
from tenants.api.inputs import NoInput
from tenants.api.problems import Problem
from tenants.api.views import ConfigurationViewSet
from tenants.context import tenant_context

# Handlers that wait for somebody else, which no transaction may be open for; they enter the tenant themselves.
WAITING = frozenset({"try_new", "try_stored"})


class SourceViewSet(ConfigurationViewSet):
    """Metric sources: places that are asked for values."""

    model = Source
    noun = "metric source"
    input_serializer = bodies.SourceInput
    output_serializer = bodies.SourceOutput

    def _in_tenant(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        return handler if self.action in WAITING else super()._in_tenant(handler)

    def rows(self) -> QuerySet[Source]:
        return Source._default_manager.prefetch_related("state")

    def create(self, request: Request) -> Response:
        if not source_validation.has_room():
            detail = _("A tenant has at most %(count)d metric sources.") % {"count": source_validation.MAX_SOURCES}
            raise Problem("conflict", detail)
        return super().create(request)

    def store(self, instance: Any, values: dict[str, Any]) -> None:
        take_credentials(COLLECTORS, instance, values)
        super().store(instance, values)

    def check(self, instance: Any) -> None:
        faults = source_validation.source_faults(
            instance.kind, instance.settings, credentials_of(instance), instance.labels
        )
        if faults:
            raise serializers.ValidationError(faults)

    @extend_schema(
        operation_id="metric_sources_try_new",
        summary="Try a metric source",
        request=bodies.TrialInput,
        responses={200: bodies.TrialOutput},
    )
    @action(detail=False, methods=["post"], url_path="try")
    def try_new(self, request: Request) -> Response:
        """Asks the source once, before it is saved, and shows what it found. Nothing is stored."""
        with tenant_context(self.principal.tenant_id):
            values = self.accept(bodies.TrialInput)
            values["credentials"] = json.dumps(values.get("credentials", {}))
            source = Source(tenant_id=self.principal.tenant_id, **values)
            self.check(source)
            audit.record(self.principal, "source.tried", after={"kind": source.kind})
        return _answer(_look(source))

    @extend_schema(
        operation_id="metric_sources_try_stored",
        summary="Try a stored metric source",
        request=NoInput,
        responses={200: bodies.TrialOutput},
    )
    @action(detail=True, methods=["post"], url_path="try")
    def try_stored(self, request: Request, id: str) -> Response:
        """Asks the source once with its stored credentials and shows what it found. Nothing is stored."""
        with tenant_context(self.principal.tenant_id):
            source = self.changeable()
            self.accept(NoInput)
            self.check(source)
            audit.record(self.principal, "source.tried", source, after={"kind": source.kind})
        return _answer(_look(source))


def _look(source: Source) -> Trial:
    return try_source(
        source.kind,
        source.settings,
        credentials_of(source),
        labels=source.labels,
        timeout=float(source.timeout),
        interval=source.interval.total_seconds(),
    )


def _answer(trial: Trial) -> Response:
    return Response(bodies.TrialOutput(asdict(trial)).data)
