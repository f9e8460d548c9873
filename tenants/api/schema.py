"""What OpenAPI is told of every view: summaries, parameters, bodies, answers and problem documents."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import is_list_serializer
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tenants.api.problems import CONTENT_TYPE
from tenants.api.views import ConfigurationViewSet, ReadOnlyViewSet, TenantViewSet

SUMMARIES = {
    "list": "List {noun}s",
    "create": "Create a {noun}",
    "retrieve": "Show one {noun}",
    "partial_update": "Change a {noun}",
    "destroy": "Delete a {noun}",
}
PROBLEMS = {
    "400": _("The request is not valid; `errors` says where and why."),
    "401": _("No valid API key came with the request."),
    "403": _("The key's scopes or the member's role do not allow this."),
    "404": _("There is no such thing in this tenant."),
    "405": _("This address does not take that method."),
    "409": _("It conflicts with the present state."),
    "412": _("It changed since it was read (If-Match)."),
    "413": _("The body is too large."),
    "415": _("The body is not JSON in UTF-8."),
    "422": _("This idempotency key was used with another body."),
    "429": _("Too many requests; `Retry-After` says when to try again."),
    "503": _("The service cannot take this at the moment; try again."),
}
ALWAYS = ("400", "401", "403", "429", "503")


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string"}]})
class BoundField(serializers.Field[Any, Any, Any, Any]):
    """A bound: a number, or a text such as a time."""

    def to_representation(self, value: Any) -> Any:
        """A bound is plain data already."""
        return value


class FaultOutput(serializers.Serializer[Any]):
    """One fault of a request."""

    index = serializers.IntegerField(allow_null=True, help_text="Which item of a batch, from 0.")
    pointer = serializers.CharField(
        allow_blank=True, help_text="JSON pointer (RFC 6901) into the body; ?name for a query parameter."
    )
    code = serializers.CharField()
    message = serializers.CharField(help_text="What is wrong and what to do.")
    limit = BoundField(allow_null=True, required=False, help_text="The bound that was passed, where there is one.")


class ProblemOutput(serializers.Serializer[Any]):
    """A problem document (RFC 9457)."""

    type = serializers.CharField(help_text="Address of the explanation of this kind of problem.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField(allow_null=True)
    trace_id = serializers.CharField(allow_blank=True, help_text="Names this request in the service's logs.")
    code = serializers.CharField()
    errors = FaultOutput(many=True)  # type: ignore[assignment]  # a field, not the serializer's own errors


class TenantAutoSchema(AutoSchema):
    """Reads what our views say of themselves; `extend_schema` on an action still wins."""

    def get_summary(self) -> str | None:
        noun = getattr(self.view, "noun", "")
        template = SUMMARIES.get(getattr(self.view, "action", "") or "")
        if not noun or template is None:
            return super().get_summary()
        article = "an" if noun[0] in "aeiou" else "a"
        plural = noun[:-1] + "ie" if noun.endswith(("cy", "ry")) else noun
        return template.replace("a {noun}", f"{article} {noun}").replace("{noun}s", f"{plural}s").format(noun=noun)

    def get_tags(self) -> list[str]:
        return [self._tokenize_path()[0]]

    def get_request_serializer(self) -> Any:
        if isinstance(self.view, ConfigurationViewSet) and self.view.action in {"create", "partial_update"}:
            return self.view.input_serializer
        return None if isinstance(self.view, TenantViewSet) else super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        if isinstance(self.view, ReadOnlyViewSet) and self.view.action in SUMMARIES:
            return self.view.output_serializer
        return {204: None} if isinstance(self.view, TenantViewSet) else super().get_response_serializers()

    def _get_paginator(self) -> Any:
        action = getattr(self.view, "action", "")
        is_paged = action in getattr(self.view, "paged", {"list"})
        return super()._get_paginator() if is_paged else None  # type: ignore[no-untyped-call]

    def _is_list_view(self, serializer: Any = None) -> bool:
        if isinstance(self.view, TenantViewSet):
            return self.view.action in self.view.paged or is_list_serializer(serializer)
        return bool(super()._is_list_view(serializer))

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        schema = {"type": "string", "format": "uuid"}
        return [{"in": "path", "name": name, "schema": schema, "required": True} for name in variables]

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._get_parameters()
        action = getattr(self.view, "action", "")
        filters = getattr(self.view, "filters", {}).get(action, {})
        parameters += [one.as_parameter(name) for name, one in filters.items()]
        if isinstance(self.view, ConfigurationViewSet) and action in {"partial_update", "destroy"}:
            description = "Entity tag from an earlier answer: refuse the change when it is no longer the present state."
            schema = {"type": "string", "pattern": r'^(\*|"[0-9a-f]{1,64}")$'}
            parameters.append({"name": "If-Match", "in": "header", "schema": schema, "description": description})
        return parameters

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        component = self.resolve_serializer(ProblemOutput, "response")
        content = {CONTENT_TYPE: {"schema": component.ref}}
        for code in self._problem_codes():
            bodies.setdefault(code, {"description": str(PROBLEMS[code]), "content": content})
        return dict(sorted(bodies.items()))

    def _problem_codes(self) -> list[str]:
        codes = list(ALWAYS)
        is_door = any(getattr(one, "name", "") == "Idempotency-Key" for one in self.get_override_parameters())
        if "{" in self.path or (self.method == "POST" and not is_door):
            codes.append("404")  # a body may name a row as well
        if self.method != "GET":
            codes.append("409")
        if isinstance(self.view, ConfigurationViewSet) and self.view.action in {"partial_update", "destroy"}:
            codes.append("412")
        if self.method in {"POST", "PATCH", "PUT"}:
            codes += ["413", "415"]
        return [*codes, "422"] if is_door else codes


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How `ApiKeyAuthentication` looks in OpenAPI."""

    target_class = "tenants.api.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        description = "`Authorization: Api-Key ak_...`; issue keys in the admin or by POST /api/v1/api-keys."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": description}


def without_final_slash(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Document each address once; the slash at its end is optional (PREPROCESSING_HOOKS)."""
    return [(path.rstrip("/") or "/", regex, method, view) for path, regex, method, view in endpoints]
