"""REST doors of the tenant itself, its API keys and its audit log."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tenants import audit, keys
from tenants.api import serializers as bodies
from tenants.api.filters import PERIOD, words
from tenants.api.problems import Problem
from tenants.api.views import ReadOnlyViewSet, TenantViewSet
from tenants.models import ApiKey, AuditEntry, Tenant


class TenantSelfViewSet(TenantViewSet):
    """The caller's own tenant; no address names another."""

    read_permission = "view_configuration"
    pagination_class = None
    paged = frozenset()

    @extend_schema(summary="Show the tenant", responses=bodies.TenantOutput)
    def retrieve(self, request: Request) -> Response:
        return Response(bodies.TenantOutput(self._tenant()).data)

    @extend_schema(summary="Change the tenant", request=bodies.TenantInput, responses=bodies.TenantOutput)
    def partial_update(self, request: Request) -> Response:
        tenant = self._tenant()
        before = audit.snapshot(tenant)
        for name, value in self.accept(bodies.TenantInput, tenant, partial=True).items():
            setattr(tenant, name, value)
        tenant.full_clean()
        after = audit.snapshot(tenant)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            tenant.save(update_fields=changed)
            old, new = ({name: values[name] for name in changed} for values in (before, after))
            audit.record(self.principal, "tenant.changed", tenant, before=old, after=new)
        return Response(bodies.TenantOutput(tenant).data)

    def _tenant(self) -> Tenant:
        return Tenant.objects.select_for_update().get(pk=self.principal.tenant_id)


class ApiKeyViewSet(ReadOnlyViewSet):
    """API keys: how programs speak for the tenant."""

    noun = "API key"
    read_permission = "manage_keys"
    write_permission = "manage_keys"
    cursor_newest_first = True
    output_serializer = bodies.ApiKeyOutput

    def rows(self) -> QuerySet[ApiKey]:
        return ApiKey._default_manager.all()

    @extend_schema(summary="Issue an API key", request=bodies.ApiKeyInput, responses={201: bodies.IssuedKeyOutput})
    def create(self, request: Request) -> Response:
        """The token is in this answer and never again."""
        wanted = self.accept(bodies.ApiKeyInput)
        issued = keys.issue(self.principal, wanted["name"], wanted["scopes"], wanted.get("expires_at"))
        return self._shown_once(issued)

    @extend_schema(summary="Rotate an API key", request=bodies.RotateInput, responses={201: bodies.IssuedKeyOutput})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, id: str) -> Response:
        """Issues a successor with the same scopes; the old key goes on working for the overlap."""
        key = self.get_object()
        if key.revoked_at is not None or key.replaced_by_id is not None:
            raise Problem("conflict", _("This key is revoked or has a successor already."))
        overlap = self.accept(bodies.RotateInput).get("overlap", timedelta(days=1))
        return self._shown_once(keys.rotate(self.principal, key, overlap))

    @extend_schema(summary="Revoke an API key", responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Makes it useless for good; its row stays, so that the audit log can be read."""
        key = self.get_object()
        if key.revoked_at is None:
            keys.revoke(self.principal, key)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _shown_once(self, issued: keys.IssuedKey) -> Response:
        data = dict(bodies.ApiKeyOutput(issued.key).data, token=issued.token)
        return Response(data, status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


CONDITIONS = {
    "action": "action",
    "actor": "actor_id",
    "object_type": "object_type",
    "object_id": "object_id",
    "since": "at__gte",
    "until": "at__lt",
}


class AuditViewSet(ReadOnlyViewSet):
    """The audit log, newest first; nothing in it can be changed."""

    noun = "audit entry"
    read_permission = "view_audit"
    cursor_field = "at"
    cursor_newest_first = True
    output_serializer = bodies.AuditEntryOutput
    filters = {
        "list": {
            "action": words(64, gettext_lazy("Such as channel.changed.")),
            "actor": words(64, gettext_lazy("The id of who acted.")),
            "object_type": words(64),
            "object_id": words(64),
            **PERIOD,
        }
    }

    def rows(self) -> QuerySet[AuditEntry]:
        wanted = {CONDITIONS[name]: value for name, value in self.query.items() if name in CONDITIONS}
        return AuditEntry._default_manager.filter(**wanted)
