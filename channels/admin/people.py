"""What comes about by itself: who acts from elsewhere, addresses that get nothing more, limits that are shared."""

from typing import Any, cast

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from channels.mail import pausing
from channels.models import PausedAddress
from tenants.admin.actor import principal_of
from tenants.admin.base import TenantModelAdmin
from tenants.admin.display import moment
from tenants.isolation import TenantOwned


class _TakenOff(TenantModelAdmin):
    """Rows that come about by themselves; a person can only delete them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PausedAddressAdmin(_TakenOff):
    """Addresses whose mail came back or whose reader complained. Taking one off writes to it again."""

    list_display = ("address", "why", "detail", "since")
    list_filter = ("why",)
    search_fields = ("address",)
    fields = ("address", "why", "detail", "paused_at")

    def delete_model(self, request: HttpRequest, obj: TenantOwned) -> None:
        pausing.resume(principal_of(request), cast(PausedAddress, obj))

    def since(self, row: Any) -> Any:
        return moment(row.paused_at)

    since.short_description = gettext_lazy("since")  # type: ignore[attr-defined]
    since.admin_order_field = "paused_at"  # type: ignore[attr-defined]


class ChannelIdentityAdmin(_TakenOff):
    """Slack users who act in a member's name. Taking one off ends that at once."""

    list_display = ("__str__", "external_id", "user", "channel", "since")
    list_select_related = ("channel", "user")
    search_fields = ("external_name", "external_id", "user__username")
    fields = ("external_name", "external_id", "user", "channel", "linked_at")

    def since(self, row: Any) -> Any:
        return moment(row.linked_at)

    since.short_description = gettext_lazy("linked")  # type: ignore[attr-defined]
    since.admin_order_field = "linked_at"  # type: ignore[attr-defined]


class SharedLimitAdmin(TenantModelAdmin):
    """What channels of one account, or all of the tenant, may send together; what is more waits."""

    list_display = ("__str__", "rate_per_minute", "usual_per_minute", "paused")
    fields = ("kind", "detail", "rate_per_minute", "usual_per_minute", "blocked_until", "blocked_reason")
    readonly_fields = ("kind", "detail", "usual_per_minute", "blocked_until", "blocked_reason")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def paused(self, row: Any) -> Any:
        return moment(row.blocked_until) if row.blocked_until else "-"

    paused.short_description = gettext_lazy("paused until")  # type: ignore[attr-defined]
    paused.admin_order_field = "blocked_until"  # type: ignore[attr-defined]
