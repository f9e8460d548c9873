"""The base of every view of the API: runs a request inside its caller's tenant, and CRUD of configuration."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any, ClassVar, cast

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from tenants import audit
from tenants.access import may_change
from tenants.api.field_errors import field_errors, summary
from tenants.api.filters import Filter, readers, repeatable
from tenants.api.inputs import clean_instance
from tenants.api.pagination import PAGE_PARAMETERS
from tenants.api.problems import Problem
from tenants.api.query import identifier, read_query
from tenants.api.wording import with_limits
from tenants.context import tenant_context
from tenants.isolation import TenantOwned
from tenants.models import User
from tenants.principal import Principal

Handler = Callable[..., HttpResponseBase]


class TenantViewSet(GenericViewSet):
    """Runs every handler in the caller's tenant, as one transaction that a raised problem rolls back.

    `filters` and `paged` say by action which query parameters there are; any other is refused.
    """

    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"
    filter_backends = ()
    metadata_class = None
    read_permission: ClassVar[str]
    write_permission: ClassVar[str] = "change_configuration"
    action_permissions: ClassVar[Mapping[str, str]] = {}
    filters: ClassVar[Mapping[str, Mapping[str, Filter]]] = {}
    paged: ClassVar[frozenset[str]] = frozenset({"list"})
    cursor_field = "id"
    cursor_newest_first = False
    # What OpenAPI is told; `noun` is what one row is called in summaries.
    noun: ClassVar[str] = ""
    input_serializer: type[BaseSerializer[Any]] | None = None
    output_serializer: type[BaseSerializer[Any]] | None = None

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return cast(Principal, self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Admit the request, read its query string, and move its handler into the tenant's context."""
        super().initial(request, *args, **kwargs)
        action = self.action or ""
        taken = self.filters.get(action, {})
        allowed = readers(taken) | (PAGE_PARAMETERS if action in self.paged else {})
        self.query = read_query(request, allowed, repeatable(taken))
        name = (request.method or "").lower()
        if action and hasattr(self, name):
            setattr(self, name, self._in_tenant(getattr(self, name)))

    def _in_tenant(self, handler: Handler) -> Handler:
        # DRF turns exceptions into answers outside the handler: so they pass the transaction first and undo it.
        def inside(*args: Any, **kwargs: Any) -> HttpResponseBase:
            # Times are told in UTC to everybody: a session would bring the zone of the person's pages.
            with timezone.override(UTC), tenant_context(self.principal.tenant_id):
                return handler(*args, **kwargs)

        return inside

    def rows(self) -> QuerySet[Any]:
        """The rows that exist for this view, inside the tenant."""
        raise NotImplementedError

    def get_object(self) -> Any:
        """The row of the address, locked where it is about to be written; what is not there or foreign is a 404."""
        try:
            wanted = identifier(str(self.kwargs["id"]))
        except ValueError as error:
            raise Http404 from error
        rows = self.rows()
        if self.request.method not in {"GET", "HEAD", "OPTIONS"}:
            rows = rows.select_for_update(of=("self",))
        found = rows.filter(pk=wanted).first()
        if found is None:
            raise Http404
        return found

    def page(self, rows: QuerySet[Any], serializer: type[BaseSerializer[Any]]) -> Response:
        """Answer one page of rows."""
        return self.get_paginated_response(serializer(self.paginate_queryset(rows) or [], many=True).data)

    def accept(self, serializer: type[BaseSerializer[Any]], instance: Any = None, *, partial: bool = False) -> Any:
        """The validated body of the request; raises what becomes a 400 with pointers."""
        context = {"principal": self.principal}
        reader = serializer(instance, data=self.request.data, partial=partial, context=context)
        if not reader.is_valid():
            faults = with_limits(reader, field_errors(reader.errors))
            raise Problem("invalid", summary(faults), errors=faults)
        return reader.validated_data


class ReadOnlyViewSet(TenantViewSet):
    """Lists rows and shows one."""

    def list(self, request: Request) -> Response:
        return self.page(self.rows(), self._output())

    def retrieve(self, request: Request, id: str) -> Response:
        found = self.get_object()
        return self.answer(found)

    def answer(self, instance: Any, code: int = status.HTTP_200_OK) -> Response:
        """Answer one row with its entity tag."""
        data = self._output()(instance).data
        return Response(data, status=code, headers={"ETag": entity_tag(data)})

    def _output(self) -> type[BaseSerializer[Any]]:
        if self.output_serializer is None:
            raise NotImplementedError("A view set names its output_serializer.")
        return self.output_serializer


class ConfigurationViewSet(ReadOnlyViewSet):
    """Create, read, change and delete one kind of configuration, with every change in the audit log."""

    model: ClassVar[type[TenantOwned]]
    read_permission = "view_configuration"

    # What a person may be granted on one row of this kind, beyond what their role gives (guardian).
    object_permission: ClassVar[str] = ""

    def rows(self) -> QuerySet[Any]:
        return self.model._default_manager.all()

    def changeable(self) -> Any:
        """The row of the address, if the caller may change it: by their role, or by a grant on just this row."""
        found = self.get_object()
        if not self.object_permission or self.principal.can(self.write_permission):
            return found
        user = User.objects.filter(pk=self.principal.id).first() if self.principal.kind == "member" else None
        if not may_change(user, self.principal, found, self.object_permission):
            raise PermissionDenied(self.principal.refusal(self.write_permission))
        return found

    def create(self, request: Request) -> Response:
        values = self.accept(self._input())
        instance = self.model(tenant_id=self.principal.tenant_id)
        self.store(instance, values)
        return self.answer(self._reread(instance), status.HTTP_201_CREATED)

    def partial_update(self, request: Request, id: str) -> Response:
        instance = self.changeable()
        self.check_match(instance)
        self.store(instance, self.accept(self._input(), instance, partial=True))
        return self.answer(self._reread(instance))

    def destroy(self, request: Request, id: str) -> Response:
        instance = self.get_object()
        self.check_match(instance)
        self.remove(instance)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def store(self, instance: Any, values: dict[str, Any]) -> None:
        """Put the values into the row, check it as a whole and save it."""
        for name, value in values.items():
            setattr(instance, name, value)
        clean_instance(instance, self.check)
        audit.save_audited(self.principal, instance)

    def check(self, instance: Any) -> None:
        """Raise a ValidationError for what only the whole row shows."""

    def remove(self, instance: Any) -> None:
        """Delete the row."""
        audit.delete_audited(self.principal, instance)

    def check_match(self, instance: Any) -> None:
        """Refuse a change based on an older state, when the client says which state it knows (If-Match)."""
        wanted = self.request.headers.get("If-Match", "*").strip()
        if wanted == "*":
            return
        if entity_tag(self._output()(instance).data) not in {tag.strip() for tag in wanted.split(",")}:
            detail = _("It has changed since you read it; read it again and repeat your change.")
            raise Problem("conflict", detail, status=status.HTTP_412_PRECONDITION_FAILED)

    def _input(self) -> type[BaseSerializer[Any]]:
        if self.input_serializer is None:
            raise NotImplementedError("A view set that writes names its input_serializer.")
        return self.input_serializer

    def _reread(self, instance: Any) -> Any:
        return self.rows().get(pk=instance.pk)


def entity_tag(data: Any) -> str:
    """A strong tag of a representation."""
    return f'"{hashlib.blake2b(JSONRenderer().render(data), digest_size=12).hexdigest()}"'
