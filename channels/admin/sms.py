"""SMS: the plan of a tenant with what it has used, and the numbers that want none."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.models import SmsPlan
from channels.sms.usage import used
from tenants.admin.base import TenantModelAdmin
from tenants.admin.display import moment
from tenants.admin.one_row import PolicyAdmin


class SmsPlanAdmin(PolicyAdmin):
    """One page: limits, budget and prices, made with the defaults when first saved."""

    fields = (
        "per_number_hourly",
        "hourly",
        "monthly_budget",
        "reserve_percent",
        "critical_over_budget",
        "price",
        "prices",
        "currency",
        "used_so_far",
    )
    readonly_fields = ("used_so_far",)

    def used_so_far(self, plan: SmsPlan) -> str:
        found = used()
        words = _(
            "%(hour)d SMS in the last hour; this month %(count)d SMS, %(segments)d segments, %(cost)s %(currency)s"
        )
        return words % {
            "hour": found.last_hour,
            "count": found.messages,
            "segments": found.segments,
            "cost": found.cost,
            "currency": plan.currency,
        }

    used_so_far.short_description = gettext_lazy("used so far")  # type: ignore[attr-defined]


class SmsOptOutAdmin(TenantModelAdmin):
    """Numbers whose owners wrote STOP. Taking one out needs their word: it is written to again."""

    list_display = ("number", "channel", "source", "since")
    list_select_related = ("channel",)
    search_fields = ("number",)
    fields = ("number", "channel", "source", "opted_out_at")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def since(self, row: Any) -> Any:
        return moment(row.opted_out_at)

    since.short_description = gettext_lazy("since")  # type: ignore[attr-defined]
    since.admin_order_field = "opted_out_at"  # type: ignore[attr-defined]
