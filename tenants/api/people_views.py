"""REST doors of members and roles."""

from collections import defaultdict

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from tenants import accounts, members
from tenants.api import serializers as bodies
from tenants.api.problems import Problem
from tenants.api.views import ReadOnlyViewSet
from tenants.models import Membership, Role, TenantGroupGrant


class MemberViewSet(ReadOnlyViewSet):
    """Members: people and their roles."""

    noun = "member"
    read_permission = "view_configuration"
    write_permission = "manage_members"
    output_serializer = bodies.MemberOutput

    def rows(self) -> QuerySet[Membership]:
        return Membership._default_manager.select_related("user", "role")

    @extend_schema(summary="Invite a member", request=bodies.MemberInput, responses={201: bodies.MemberOutput})
    def create(self, request: Request) -> Response:
        """A person the service does not know yet gets an account without a password."""
        wanted = self.accept(bodies.MemberInput)
        member = members.invite(self.principal, wanted["email"], wanted["role"])
        return self.answer(self.rows().get(pk=member.pk), status.HTTP_201_CREATED)

    @extend_schema(summary="Change a member's role", request=bodies.MemberRoleInput, responses=bodies.MemberOutput)
    def partial_update(self, request: Request, id: str) -> Response:
        member = self.get_object()
        wanted = self.accept(bodies.MemberRoleInput)
        if "role" in wanted:
            try:
                members.change_role(self.principal, member, wanted["role"])
            except members.LastOwner as error:
                raise Problem("conflict", str(error)) from error
        return self.answer(self.rows().get(pk=member.pk))

    @extend_schema(summary="Remove a member", responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        member = self.get_object()
        try:
            members.remove(self.principal, member)
        except members.LastOwner as error:
            raise Problem("conflict", str(error)) from error
        return Response(status=status.HTTP_204_NO_CONTENT)


class RoleViewSet(ReadOnlyViewSet):
    """Roles: named sets of permissions; the built-in ones stay as they are."""

    noun = "role"
    read_permission = "view_configuration"
    write_permission = "manage_members"
    output_serializer = bodies.RoleOutput

    def rows(self) -> QuerySet[Role]:
        return Role._default_manager.select_related("group")

    def list(self, request: Request) -> Response:
        roles = self.paginate_queryset(self.rows()) or []
        granted: dict[int, list[str]] = defaultdict(list)
        grants = TenantGroupGrant.objects.filter(
            group__in=[role.group_id for role in roles], content_object_id=self.principal.tenant_id
        )
        for group_id, permission in grants.values_list("group_id", "permission__codename"):
            granted[group_id].append(permission)
        data = bodies.RoleOutput(roles, many=True, context={"permissions_by_group": granted}).data
        return self.get_paginated_response(data)

    @extend_schema(summary="Create a role", request=bodies.RoleInput, responses={201: bodies.RoleOutput})
    def create(self, request: Request) -> Response:
        wanted = self.accept(bodies.RoleInput)
        role = members.create_role(self.principal, wanted["name"], wanted["permissions"])
        return self.answer(role, status.HTTP_201_CREATED)

    @extend_schema(summary="Change a role", request=bodies.RoleInput, responses=bodies.RoleOutput)
    def partial_update(self, request: Request, id: str) -> Response:
        role = self.get_object()
        wanted = self.accept(bodies.RoleInput, role, partial=True)
        permissions = wanted.get("permissions", accounts.role_permissions(role))
        try:
            members.change(self.principal, role, wanted.get("name", role.name), permissions)
        except members.RoleInUse as error:
            raise Problem("conflict", str(error)) from error
        return self.answer(role)

    @extend_schema(summary="Delete a role", responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        role = self.get_object()
        try:
            members.delete(self.principal, role)
        except members.RoleInUse as error:
            raise Problem("conflict", str(error)) from error
        return Response(status=status.HTTP_204_NO_CONTENT)
