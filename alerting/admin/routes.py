"""The route tree: one page that shows all of it, and a form for one node."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from alerting.admin.forms import ConfigurationAdmin, JudgedForm
from alerting.admin.matching import matcher_chips
from alerting.models import EscalationPolicy, Route, RouteChannel
from alerting.route_channels import set_channels
from alerting.routing import DEFAULT_TIMERS
from channels.models import Channel
from tenants.admin.actor import principal_of
from tenants.admin.display import duration_text

TIMERS = ("group_wait", "group_interval", "repeat_interval")


class RouteForm(JudgedForm):
    """A node of the tree and the channels it tells."""

    tells: forms.ModelMultipleChoiceField[Channel] = forms.ModelMultipleChoiceField(
        None,
        label=gettext_lazy("tells"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=gettext_lazy("None: the channels of the route above."),
    )

    class Meta:
        model = Route
        # Keys to other rows are added per request by the page: their choices exist only inside a tenant.
        fields = ("name", "position", "matchers", "continues", *TIMERS)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "tells" in self.fields:
            self.fields["tells"].queryset = Channel._default_manager.order_by("name")  # type: ignore[attr-defined]
            if not self.instance._state.adding:
                told = RouteChannel._default_manager.filter(route=self.instance)
                self.fields["tells"].initial = list(told.values_list("channel_id", flat=True))
        if "parent" in self.fields and not self.instance._state.adding:
            parents = self.fields["parent"].queryset.exclude(pk=self.instance.pk)  # type: ignore[attr-defined]
            self.fields["parent"].queryset = parents  # type: ignore[attr-defined]


@dataclass
class Node:
    """A route as the tree page shows it."""

    route: Route
    depth: int
    matchers: Any
    timers: list[tuple[str, bool]]
    channels: list[str]
    inherits_channels: bool
    policy: EscalationPolicy | None
    inherits_policy: bool


class RouteAdmin(ConfigurationAdmin):
    """Who is told about what, and when."""

    form = RouteForm
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "parent", "position", "matchers", "continues", "tells", "policy")}),
        (
            gettext_lazy("Timers"),
            {"fields": TIMERS, "description": gettext_lazy("Empty: as the route above says.")},
        ),
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the tree, each node with what it inherits."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Routes"),
            "opts": self.opts,
            "nodes": tree_lines(),
            "may_change": self.has_change_permission(request),
            "has_add_permission": self.has_add_permission(request),
            "defaults": [duration_text(getattr(DEFAULT_TIMERS, name)) for name in TIMERS],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/alerting/routes.html", context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Propose the root as what a new route lies below: there can be only one root."""
        root = Route._default_manager.filter(parent=None).values_list("pk", flat=True).first()
        return {**({"parent": root} if root else {}), **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        set_channels(principal_of(request), obj, form.cleaned_data["tells"])


def tree_lines() -> list[Node]:
    """Return the tree from the root down, depth first; two statements however many routes there are."""
    routes = list(Route._default_manager.select_related("policy").order_by("position", "name", "id"))
    told: dict[UUID, list[str]] = {}
    for link in RouteChannel._default_manager.select_related("channel").order_by("channel__name"):
        told.setdefault(link.route_id, []).append(link.channel.name)
    below: dict[UUID | None, list[Route]] = {}
    for route in routes:
        below.setdefault(route.parent_id, []).append(route)
    lines: list[Node] = []
    defaults: dict[str, timedelta] = {name: getattr(DEFAULT_TIMERS, name) for name in TIMERS}
    # A stack of our own: a circle among rows must not hang or overflow the page.
    waiting: list[tuple[Route, int, dict[str, timedelta], list[str], EscalationPolicy | None]]
    waiting = [(route, 0, defaults, [], None) for route in reversed(below.get(None, []))]
    while waiting and len(lines) < 2 * len(routes):
        route, depth, timers, channels, policy = waiting.pop()
        own = {name: getattr(route, name) for name in TIMERS}
        timers = {name: timers[name] if value is None else value for name, value in own.items()}
        mine = told.get(route.pk, [])
        shown = [(duration_text(timers[name]), own[name] is None) for name in TIMERS]
        calls, chips = route.policy or policy, matcher_chips(route.matchers)
        lines.append(Node(route, depth, chips, shown, mine or channels, not mine, calls, route.policy is None))
        waiting += [(child, depth + 1, timers, mine or channels, calls) for child in reversed(below.get(route.pk, []))]
    return lines
