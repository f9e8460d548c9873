"""Readers who agreed that their team sees when they open mails; taking one off deletes what was seen."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from channels.mail import opening
from tenants.admin.actor import principal_of
from tenants.admin.base import TenantModelAdmin
from tenants.admin.display import moment


class MailConsentAdmin(TenantModelAdmin):
    """Only readers give consent, by the link in their mails; a person here can take it back for them."""

    list_display = ("address", "wording", "since")
    search_fields = ("address",)
    fields = ("address", "wording", "given_at")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        opening.withdraw(principal_of(request), obj.address)

    def since(self, row: Any) -> Any:
        return moment(row.given_at)

    since.short_description = gettext_lazy("since")  # type: ignore[attr-defined]
    since.admin_order_field = "given_at"  # type: ignore[attr-defined]
