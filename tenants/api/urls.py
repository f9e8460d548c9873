"""Addresses of the REST API of this app."""

from django.urls import re_path

from tenants.api.account_views import ApiKeyViewSet, AuditViewSet, TenantSelfViewSet
from tenants.api.people_views import MemberViewSet, RoleViewSet
from tenants.api.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("api-keys", ApiKeyViewSet, "api-key")
router.register("members", MemberViewSet, "member")
router.register("roles", RoleViewSet, "role")
router.register("audit", AuditViewSet, "audit")

urlpatterns = [
    re_path(r"^tenant/?$", TenantSelfViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="tenant"),
    *router.urls,
]
