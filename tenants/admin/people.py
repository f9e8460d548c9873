"""Members and roles: who is in the tenant and what they may do."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenants import accounts, audit
from tenants.admin.actor import principal_of
from tenants.admin.base import TenantModelAdmin
from tenants.admin.display import chip
from tenants.admin.grants import may_also_change
from tenants.admin.people_forms import MemberForm, NewMemberForm, RoleForm
from tenants.models import Membership, Role


class ManagedByPeople(TenantModelAdmin):
    """What whoever manages members may change, within what they may do themselves."""

    write_permission = "manage_members"
    actions = None

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form = super().get_form(request, obj, change=change, **options)
        form.actor = principal_of(request)
        return form


class MembershipAdmin(ManagedByPeople):
    """The people of the tenant; a new person gets a password that is shown once."""

    form = MemberForm
    list_display = ("person", "email", "role", "created_at")
    list_select_related = ("user", "role")
    search_fields = ("user__username", "user__email", "user__first_name", "user__last_name")
    list_filter = ("role",)
    _shown = ("person", "email", "role", "also", "created_at")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        if obj is None:
            options["form"] = NewMemberForm
        return super().get_form(request, obj, change=change, **options)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("email", "username", "full_name", "role") if obj is None else self._shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else tuple(name for name in self._shown if name != "role")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = principal_of(request)
        if change:
            before = Membership._default_manager.select_related("role", "user").get(pk=obj.pk)
            if before.role_id != obj.role_id:
                accounts.change_role(actor, before, obj.role)
            return
        user, password = form.person()
        obj.pk = accounts.add_member(actor, user, obj.role).pk
        request.first_password = password  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        password = request.first_password  # type: ignore[attr-defined]
        if not password:
            response: HttpResponse = super().response_add(request, obj, post_url_continue)
            return response
        context = {
            **self.admin_site.each_context(request),
            "title": _("Hand over this password"),
            "person": obj.user,
            "password": password,
            "address": request.build_absolute_uri("/admin/"),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/tenants/first_password.html", context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not super().has_delete_permission(request, obj):
            return False
        return obj is None or accounts.role_permissions(obj.role) <= principal_of(request).permissions

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        if obj.user_id == request.user.pk:
            messages.error(request, _("You cannot remove yourself; ask another member to do it."))
            raise PermissionDenied
        accounts.remove_member(principal_of(request), obj)

    def person(self, membership: Membership) -> str:
        return str(membership.user)

    person.short_description = gettext_lazy("person")  # type: ignore[attr-defined]

    def email(self, membership: Membership) -> str:
        return membership.user.email

    email.short_description = gettext_lazy("e-mail address")  # type: ignore[attr-defined]

    def also(self, membership: Membership) -> Any:
        return may_also_change(self, membership.user)

    also.short_description = gettext_lazy("may also change")  # type: ignore[attr-defined]


class RoleAdmin(ManagedByPeople):
    """Sets of permissions; the built-in ones are fixed."""

    form = RoleForm
    list_display = ("name", "origin", "may")
    search_fields = ("name",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "may") if obj is not None and obj.is_built_in else ("name", "permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "may") if obj is not None and obj.is_built_in else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj is not None and obj.is_built_in)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.is_built_in)

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:  # type: ignore[override]
        actor, wanted = principal_of(request), frozenset(form.cleaned_data["permissions"])
        if not change:
            role = accounts.create_role(obj.name, wanted)
            obj.pk, obj.group_id, obj.tenant_id = role.pk, role.group_id, role.tenant_id
            audit.record(actor, "role.created", role, after={"name": role.name, "permissions": sorted(wanted)})
            return
        before = {"permissions": sorted(accounts.role_permissions(obj))}
        audit.save_audited(actor, obj)
        accounts.set_permissions(obj, wanted)
        audit.record(actor, "role.permissions_changed", obj, before=before, after={"permissions": sorted(wanted)})

    def origin(self, role: Role) -> Any:
        return chip(_("built in"), "grey") if role.is_built_in else chip(_("own"), "blue")

    origin.short_description = gettext_lazy("origin")  # type: ignore[attr-defined]

    def may(self, role: Role) -> str:
        from tenants.admin.people_forms import permission_labels

        labels = permission_labels()
        return " · ".join(labels[name] for name in sorted(accounts.role_permissions(role)))

    may.short_description = gettext_lazy("may")  # type: ignore[attr-defined]
