"""The catalogue: every built-in metric by area, what it means, and a switch for each."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from metrics.catalogue import AREAS, LABEL, Entry, area_name, entries, entry, texts
from metrics.catalogue.choosing import switch_off, switch_on
from metrics.collectors.base import METRIC_NAME
from metrics.drift.computing import settings_fault
from metrics.models import MetricChoice, Series, Threshold
from tenants.admin.actor import can, principal_of
from tenants.admin.base import TenantModelAdmin
from tenants.admin.forms import TenantModelForm


class ChoiceForm(TenantModelForm):
    """The name of a metric's series and, for computed ones, from what it is computed."""

    class Meta:
        model = MetricChoice
        fields = ("metric", "settings")

    def clean_metric(self) -> str:
        """Refuse what cannot be a name of series."""
        name: str = self.cleaned_data["metric"]
        if not METRIC_NAME.fullmatch(name):
            raise ValidationError(_("%(name)s is not a name for a metric.") % {"name": name[:80]})
        return name

    def clean_settings(self) -> Any:
        """Let whoever computes the metric judge its settings."""
        settings = self.cleaned_data["settings"] or {}
        if fault := settings_fault(self.instance.key, settings):
            raise ValidationError(fault)
        return settings


class MetricChoiceAdmin(TenantModelAdmin):
    """What a tenant has of the catalogue."""

    form = ChoiceForm
    fields = ("title", "about", "metric", "settings")
    readonly_fields = ("title", "about")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        one = entry(obj.key) if obj is not None else None
        is_computed = one is not None and bool(one.computed)
        return ("title", "about", "metric", *(["settings"] if is_computed else []))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Metrics are switched on in the list.
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm[Any], change: bool) -> None:
        # The thresholds watch the name that the series have from now on.
        switch_on(principal_of(request), obj.key, obj.metric, settings=obj.settings)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        switch_off(principal_of(request), obj)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [path("switch/<str:key>/", wrap(require_POST(self.switch)), name="metrics_metricchoice_switch")]
        return [*own, *super().get_urls()]

    def switch(self, request: HttpRequest, key: str) -> HttpResponse:
        """Switch one metric on or off."""
        if not can(request, self.write_permission):
            raise PermissionDenied
        one = entry(key)
        if one is None:
            raise Http404
        choice = MetricChoice.objects.filter(key=key).first()
        if request.POST.get("on") == "0":
            if choice is not None:
                switch_off(principal_of(request), choice)
        elif choice is None:
            # Somebody else's name for another metric would be taken away; the form says so instead.
            if MetricChoice.objects.filter(metric=one.metric).exists():
                self.message_user(request, _("Another metric uses this name of series already."), level="error")
            else:
                switch_on(principal_of(request), key)
        return redirect(f"{reverse('admin:metrics_metricchoice_changelist')}#{key}")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the whole catalogue, with what is on."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Metric catalogue"),
            "opts": self.opts,
            "areas": catalogue_lines(),
            "may_change": can(request, self.write_permission),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/metrics/catalogue.html", context)

    def title(self, choice: MetricChoice) -> str:
        return texts(choice.key).name if entry(choice.key) else choice.key

    title.short_description = gettext_lazy("metric")  # type: ignore[attr-defined]

    def about(self, choice: MetricChoice) -> str:
        return texts(choice.key).about if entry(choice.key) else ""

    about.short_description = gettext_lazy("what it measures")  # type: ignore[attr-defined]


def catalogue_lines() -> list[dict[str, Any]]:
    """Return the areas with their metrics as the page shows them, in a fixed number of statements."""
    chosen = {choice.key: choice for choice in MetricChoice.objects.all()}
    series = _counted(Series.objects.exclude(catalogue_key=""), "catalogue_key")
    watched = _counted(Threshold.objects.filter(is_active=True, labels__has_key=LABEL), f"labels__{LABEL}")
    lines = []
    for area in AREAS:
        metrics = [
            {
                "key": key,
                "entry": one,
                "texts": texts(key),
                "direction": direction_text(one),
                "choice": chosen.get(key),
                "series": series.get(key, 0),
                "thresholds": watched.get(key, 0),
            }
            for key, one in entries().items()
            if one.area == area
        ]
        lines.append({"name": area_name(area), "metrics": metrics})
    return lines


def _counted(rows: QuerySet[Any], field: str) -> dict[str, int]:
    return dict(rows.order_by().values(field).annotate(count=Count("pk")).values_list(field, "count"))


def direction_text(one: Entry) -> str:
    """Say which direction is good."""
    words = {
        "higher": _("higher is better"),
        "lower": _("lower is better"),
        "neither": _("neither direction is better"),
    }
    return words[one.direction]
