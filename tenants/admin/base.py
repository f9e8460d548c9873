"""The base of every page of the admin that shows a tenant's rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, cast

from django.contrib.admin.options import IS_POPUP_VAR, IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import models
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET
from unfold.admin import ModelAdmin

from tenants import audit
from tenants.access import may_change
from tenants.admin.actor import can, principal_of
from tenants.admin.deletion import consequences
from tenants.admin.export import export_page
from tenants.admin.forms import TenantModelForm
from tenants.admin.history import history_page
from tenants.admin.lists import BoundedPaginator, TenantChangeList
from tenants.isolation import TenantOwned
from tenants.models import User

# What may follow the name of a field in list_filter; anything else would let a query string probe a column.
LOOKUPS = frozenset(
    {"", "exact", "in", "isnull", "id__exact", "id__in", "gt", "gte", "lt", "lte"}
    | {f"{name}_{part}" for name in ("from", "to") for part in (0, 1)}
    | {"from", "to"}
)


class TenantModelAdmin(ModelAdmin):
    """Rows of the tenant of the context, for those whom the tenant gave the permission.

    Who may do what is asked of `request.principal` and, for single objects, of guardian; Django's global
    permissions play no part. Every write leaves an audit entry. Django's own LogEntry is never written.
    """

    view_permission: ClassVar[str] = "view_configuration"
    write_permission: ClassVar[str] = "change_configuration"
    # Codename by which a person may hold a grant on one object; empty where there are no such grants.
    grant: ClassVar[str] = ""
    form: type[ModelForm[Any]] = TenantModelForm
    list_per_page = 50
    list_max_show_all = 0
    paginator = BoundedPaginator
    # Counting all rows of a table of millions for one line of text is not worth it.
    show_full_result_count = False
    compressed_fields = False
    show_facets = False
    list_after_template = "admin/tenants/export.html"

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(require_GET(self.export))
        return [path("export/", view, name=name), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The list as CSV, for those who may see the list; a filter that is none is a bad request, as there."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return export_page(self, request)
        except IncorrectLookupParameters as error:
            raise SuspiciousOperation from error

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[TenantChangeList]:
        return TenantChangeList

    def has_module_permission(self, request: HttpRequest) -> bool:
        return can(request, self.view_permission)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return can(request, self.view_permission)

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return can(request, self.write_permission)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        if can(request, self.write_permission):
            return True
        if obj is None or not self.grant:
            return False
        return may_change(cast(User, request.user), principal_of(request), obj, self.grant)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return can(request, self.write_permission)

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **options: Any) -> Any:
        """Offer related rows to choose from, without the pop-ups to add or change them."""
        formfield = super().formfield_for_dbfield(db_field, request, **options)
        if formfield is not None and isinstance(formfield.widget, RelatedFieldWidgetWrapper):
            formfield.widget = formfield.widget.widget
        return formfield

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Never offer the tenant: it follows from the session."""
        return [*(super().get_exclude(request, obj) or ()), "tenant"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow in a query string only what list_filter offers, with plain comparisons."""
        for item in self.get_list_filter(request):
            field = item[0] if isinstance(item, list | tuple) else item
            name = field if isinstance(field, str) else getattr(field, "parameter_name", None)
            if name and (lookup == name or (lookup.startswith(f"{name}__") and lookup[len(name) + 2 :] in LOOKUPS)):
                return True
        return False

    def save_model(self, request: HttpRequest, obj: TenantOwned, form: Any, change: bool) -> None:
        audit.save_audited(principal_of(request), obj)

    def delete_model(self, request: HttpRequest, obj: TenantOwned) -> None:
        audit.delete_audited(principal_of(request), obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for obj in queryset:
            self.delete_model(request, obj)

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        refused = {str(self.opts.verbose_name) for obj in objs if not self.has_delete_permission(request, obj)}
        return consequences(self.model, list(objs), refused)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        obj = self.get_object_or_404(request, object_id)
        if not self.has_view_permission(request, obj) or not can(request, "view_audit"):
            raise PermissionDenied
        return history_page(self, request, obj)

    def get_object_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """Return a row of this tenant; a foreign or malformed id does not exist."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        return obj

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Write nothing: `save_model` wrote the audit entry."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Write nothing: `save_model` wrote the audit entry."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Write nothing: `delete_model` wrote the audit entry."""

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        # Pop-ups would let a page be opened without its navigation and banner; nothing here needs them.
        if IS_POPUP_VAR in request.GET or IS_POPUP_VAR in request.POST:
            raise Http404
        return cast(HttpResponse, super().changeform_view(request, *args, **options))


class ReadOnlyAdmin(TenantModelAdmin):
    """Rows that the service writes and people only look at."""

    view_permission = "view_alerts"
    actions: Any = None

    def check_look(self, request: HttpRequest, obj: models.Model) -> None:
        """Raise PermissionDenied unless this is a look at a row by somebody who may; a page takes no POST."""
        if request.method not in {"GET", "HEAD"} or not self.has_view_permission(request, obj):
            raise PermissionDenied

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
