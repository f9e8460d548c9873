"""Grants on single objects: who may change one channel or one template, beyond what their role gives."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models
from guardian.models import UserObjectPermissionBase
from guardian.shortcuts import assign_perm, remove_perm
from guardian.utils import get_user_obj_perms_model

from tenants import audit
from tenants.isolation import TenantOwned
from tenants.models import Membership, TenantGroupGrant, User
from tenants.principal import Principal

#: Who gives or takes a grant decides over people and holds what the grant is about.
NEEDED = ("manage_members", "change_configuration")


def may_give(principal: Principal) -> bool:
    """Say whether the actor may give and take grants."""
    return all(principal.can(permission) for permission in NEEDED)


def holders(obj: TenantOwned, permission: str) -> models.QuerySet[Membership]:
    """Return the members who hold a grant on one object, by name."""
    grants: Any = get_user_obj_perms_model(obj)
    held = grants.objects.filter(content_object_id=obj.pk, permission__codename=permission)
    return _members().filter(user_id__in=held.values("user_id"))


def candidates(obj: TenantOwned, permission: str) -> models.QuerySet[Membership]:
    """Return the members to whom a grant would give something: neither their role nor a grant lets them in."""
    let_in = TenantGroupGrant.objects.filter(
        content_object_id=obj.tenant_id, permission__codename="change_configuration"
    )
    others = _members().exclude(role__group_id__in=let_in.values("group_id"))
    return others.exclude(pk__in=holders(obj, permission).order_by().values("pk"))


def granted_to(user: User, model: type[TenantOwned], permission: str) -> models.QuerySet[Any]:
    """Return the objects of one kind, in the running context's tenant, on which a person holds a grant."""
    grants: Any = get_user_obj_perms_model(model())
    held = grants.objects.filter(user=user, permission__codename=permission)
    return model._default_manager.filter(pk__in=held.values("content_object_id"))


def give(principal: Principal, obj: TenantOwned, permission: str, member: Membership) -> None:
    """Let a member of the object's tenant change it; raises PermissionDenied."""
    _settle(principal, obj, permission, member, is_given=True)


def take(principal: Principal, obj: TenantOwned, permission: str, member: Membership) -> None:
    """Take a grant back; raises PermissionDenied."""
    _settle(principal, obj, permission, member, is_given=False)


def take_all(user: User) -> list[str]:
    """Take every grant a person holds in the running context's tenant; return what they were on."""
    lost = []
    for grants in _grant_models():
        owner: Any = grants._meta.get_field("content_object").related_model
        held = grants.objects.filter(user=user, content_object_id__in=owner._default_manager.values("pk"))
        lost += [str(one.content_object) for one in held.select_related("content_object")]
        held.delete()
    return sorted(lost)


def _settle(principal: Principal, obj: TenantOwned, permission: str, member: Membership, *, is_given: bool) -> None:
    for needed in NEEDED:
        principal.require(needed)
    before = _names(obj, permission)
    change = assign_perm if is_given else remove_perm
    change(f"{obj._meta.app_label}.{permission}", member.user, obj)
    after = _names(obj, permission)
    if before != after:
        action = f"{obj._meta.model_name}.grant_{'given' if is_given else 'taken'}"
        audit.record(principal, action, obj, before={"may_change": before}, after={"may_change": after})


def _names(obj: TenantOwned, permission: str) -> list[str]:
    return [str(member.user) for member in holders(obj, permission)]


def _members() -> models.QuerySet[Membership]:
    return Membership._default_manager.select_related("user", "role").order_by("user__username")


def _grant_models() -> Iterator[Any]:
    """Guardian's tables of persons' grants on rows of tenants."""
    for model in apps.get_models():
        if issubclass(model, UserObjectPermissionBase):
            field: Any = model._meta.get_field("content_object")  # type: ignore[misc]  # abstract; its heirs have it
            if isinstance(field, models.ForeignKey) and issubclass(field.related_model, TenantOwned):
                yield model
