"""The tables of the tenants app."""

from tenants.models.audit import AuditEntry
from tenants.models.keys import ApiKey
from tenants.models.roles import Membership, Role, TenantGroupGrant, TenantUserGrant
from tenants.models.tenant import Tenant, User

__all__ = ["ApiKey", "AuditEntry", "Membership", "Role", "Tenant", "TenantGroupGrant", "TenantUserGrant", "User"]
