"""What goes in and out for tenants, people, roles, keys and the audit log."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tenants.accounts import role_permissions
from tenants.api.inputs import RowField, SecondsField, StrictModelSerializer, StrictSerializer
from tenants.models import ApiKey, AuditEntry, Membership, Role, Tenant
from tenants.principal import ALL_PERMISSIONS
from tenants.scopes import SCOPES

SCOPE_NAMES = list(SCOPES)
PERMISSIONS = sorted(ALL_PERMISSIONS)
MAX_OVERLAP = 30 * 86_400


class ApiKeyInput(StrictSerializer):
    """A new key."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(child=serializers.ChoiceField(SCOPE_NAMES), min_length=1, max_length=len(SCOPES))
    expires_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate_scopes(self, scopes: list[str]) -> list[str]:
        granted = frozenset().union(*(SCOPES[scope] for scope in scopes))
        missing = granted - self.context["principal"].permissions
        if missing:
            message = _("A key cannot do more than whoever issues it; you lack %(names)s.")
            raise serializers.ValidationError(message % {"names": ", ".join(sorted(missing))})
        return scopes

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError(_("This time has passed."))
        return value


class RotateInput(StrictSerializer):
    """How long the old key goes on working, in seconds; a day when left out."""

    overlap = SecondsField(required=False, highest=MAX_OVERLAP)


class ApiKeyOutput(serializers.ModelSerializer[ApiKey]):
    """A key, by its public prefix; its secret is kept nowhere."""

    scopes = serializers.ListField(child=serializers.CharField())
    replaced_by = serializers.UUIDField(source="replaced_by_id", allow_null=True)

    class Meta:
        model = ApiKey
        fields = (
            "id",
            "name",
            "prefix",
            "scopes",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "replaced_by",
        )


class IssuedKeyOutput(ApiKeyOutput):
    """A new key with its token, which is shown this once."""

    token = serializers.CharField(read_only=True)

    class Meta(ApiKeyOutput.Meta):
        fields = (*ApiKeyOutput.Meta.fields, "token")  # type: ignore[assignment]


class RoleInput(StrictModelSerializer):
    """A role of the tenant's own."""

    permissions = serializers.ListField(child=serializers.ChoiceField(PERMISSIONS), max_length=len(PERMISSIONS))

    class Meta:
        model = Role
        fields = ("name", "permissions")


class RoleOutput(serializers.ModelSerializer[Role]):
    """A role and what it allows."""

    permissions = serializers.SerializerMethodField()

    class Meta:
        model = Role
        fields = ("id", "name", "is_built_in", "permissions")

    @extend_schema_field({"type": "array", "items": {"type": "string", "enum": PERMISSIONS}})
    def get_permissions(self, role: Role) -> list[str]:
        granted: dict[int, list[str]] | None = self.context.get("permissions_by_group")
        return sorted(role_permissions(role) if granted is None else granted.get(role.group_id, []))


class MemberInput(StrictSerializer):
    """Who joins, by address, and as what."""

    email = serializers.EmailField(max_length=150)
    role = RowField(Role)


class MemberRoleInput(StrictSerializer):
    """Another role for a member."""

    role = RowField(Role, required=False)


class MemberOutput(serializers.ModelSerializer[Membership]):
    """A person's place in the tenant."""

    username = serializers.CharField(source="user.username")
    email = serializers.EmailField(source="user.email")
    role = serializers.UUIDField(source="role_id")
    role_name = serializers.CharField(source="role.name")

    class Meta:
        model = Membership
        fields = ("id", "username", "email", "role", "role_name", "created_at")


class TenantInput(StrictModelSerializer):
    """What a tenant may change of itself."""

    class Meta:
        model = Tenant
        fields = ("name", "locale", "time_zone")


class TenantOutput(serializers.ModelSerializer[Tenant]):
    """The caller's tenant."""

    class Meta:
        model = Tenant
        fields = ("id", "slug", "name", "locale", "time_zone", "environment", "is_active", "created_at")


@extend_schema_field({"type": "object"})
class ValuesField(serializers.JSONField):
    """Values by name."""


class AuditEntryOutput(serializers.ModelSerializer[AuditEntry]):
    """One act: who did what, when, from where, and what it changed."""

    before = ValuesField(allow_null=True)
    after = ValuesField(allow_null=True)
    ip = serializers.CharField(allow_null=True)

    class Meta:
        model = AuditEntry
        fields = (
            "id",
            "at",
            "actor_kind",
            "actor_id",
            "actor_label",
            "action",
            "object_type",
            "object_id",
            "object_label",
            "before",
            "after",
            "reason",
            "ip",
        )
