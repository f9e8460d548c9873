"""Roles and memberships: which person may do what in which tenant."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from tenants.isolation import TenantForeignKey, TenantOwned
from tenants.models.tenant import Tenant


class Role(TenantOwned):
    """A named set of permissions in one tenant; its permissions are guardian grants to a group of its own."""

    name = models.CharField(_("name"), max_length=60)
    is_built_in = models.BooleanField(_("built in"), default=False, editable=False)
    group = models.OneToOneField(Group, models.CASCADE, editable=False, related_name="role")

    class Meta:
        db_table = "role"
        ordering = ["name"]
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [models.UniqueConstraint("tenant", "name", name="role_name")]

    def __str__(self) -> str:
        return self.name


class Membership(TenantOwned):
    """One person's place in one tenant."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    role = TenantForeignKey(Role, models.PROTECT, related_name="memberships", verbose_name=_("role"))
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    # Reads the memberships of the person named by `app.person`, before a tenant is chosen.
    directory: models.Manager["Membership"] = models.Manager()

    class Meta:
        db_table = "membership"
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        default_manager_name = "objects"
        constraints = [models.UniqueConstraint("tenant", "user", name="membership_person")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class TenantUserGrant(UserObjectPermissionBase):
    """A permission in a tenant given to one person directly."""

    content_object = models.ForeignKey(Tenant, models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False
        db_table = "tenant_user_grant"


class TenantGroupGrant(GroupObjectPermissionBase):
    """A permission in a tenant given to a role's group."""

    content_object = models.ForeignKey(Tenant, models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = False
        db_table = "tenant_group_grant"
