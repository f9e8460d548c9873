"""Metric sources: where values come from, how each source is doing, and a button that tries it."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from alerting.admin.fields import DurationTextField
from channels.admin.struct_admin import StructAdmin
from metrics.admin.source_form import SourceForm
from metrics.admin.trying import try_form
from metrics.models import Source, SourceDue, SourceState
from tenants.admin.actor import can, principal_of
from tenants.admin.display import chip, duration_text, moment
from tenants.context import tenant_context

Health = SourceState.Health
TONES = {Health.HEALTHY: "green", Health.DEGRADED: "orange", Health.FAILING: "red"}


class SourceAdmin(StructAdmin):
    """Places that are asked for values."""

    struct_form = SourceForm
    list_display = ("name", "kind_title", "health", "answered", "series_count", "every", "words")
    list_filter = ("is_active",)
    search_fields = ("name",)
    change_form_outer_before_template = "admin/metrics/source_state.html"
    change_form_after_template = "admin/metrics/source_try.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("state")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "interval":
            return DurationTextField(label=db_field.verbose_name, initial=db_field.get_default())
        return super().formfield_for_dbfield(db_field, request, **options)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        more = ("labels", "interval", "timeout", "is_active")
        if self.is_only_shown(request, obj):
            return [(None, {"fields": ("name", "kind_title", "settings_text", *more)})]
        return [*self.sections(obj), (_("Collecting"), {"fields": more})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("kind_title", "settings_text") if self.is_only_shown(request, obj) else ()

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("try/", wrap(require_POST(self.try_new)), name="metrics_source_try_new"),
            path("<uuid:source_id>/try/", wrap(require_POST(self.try_stored)), name="metrics_source_try"),
        ]
        return [*own, *super().get_urls()]

    def try_new(self, request: HttpRequest) -> HttpResponse:
        """Look at a source as the form has it, before it is saved."""
        return self._try(request, None)

    def try_stored(self, request: HttpRequest, source_id: Any) -> HttpResponse:
        """Look at a source with the changes that the form has."""
        return self._try(request, source_id)

    # Each waits for somebody else, and no transaction may be open meanwhile.
    try_new.opens_own_context = True  # type: ignore[attr-defined]
    try_stored.opens_own_context = True  # type: ignore[attr-defined]

    def _try(self, request: HttpRequest, source_id: Any) -> HttpResponse:
        with tenant_context(principal_of(request).tenant_id):
            obj = None if source_id is None else self.get_object_or_404(request, str(source_id))
            if not can(request, self.write_permission):
                raise PermissionDenied
            form = self.get_form(request, obj, change=obj is not None)(request.POST, instance=obj)
            wanted = try_form(principal_of(request), form)
        return render(request, "admin/metrics/parts/trial.html", wanted())

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        source = self.get_object_or_404(request, object_id) if object_id else None
        state = _state(source) if source is not None else None
        extra = {
            "source": source,
            "state": state,
            "health_chip": self.health(source) if source is not None else "",
            "looked": moment(state.looked_at) if state else "",
            "next_look": moment(_next_look(source)) if source is not None and source.is_active else "",
            "succeeded": moment(state.succeeded_at) if state and state.succeeded_at else "–",
            "may_try": can(request, self.write_permission),
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, extra)

    def health(self, source: Source) -> Any:
        state = _state(source)
        if not source.is_active:
            return chip(_("off"), "grey")
        if state is None:
            return chip(_("not asked yet"), "grey")
        return chip(Health(state.health).label, TONES[Health(state.health)])

    health.short_description = gettext_lazy("health")  # type: ignore[attr-defined]

    def answered(self, source: Source) -> Any:
        state = _state(source)
        return moment(state.succeeded_at) if state else "–"

    answered.short_description = gettext_lazy("last answer")  # type: ignore[attr-defined]

    def series_count(self, source: Source) -> Any:
        state = _state(source)
        return state.series if state else "–"

    series_count.short_description = gettext_lazy("series")  # type: ignore[attr-defined]

    def every(self, source: Source) -> str:
        return duration_text(source.interval)

    every.short_description = gettext_lazy("interval")  # type: ignore[attr-defined]
    every.admin_order_field = "interval"  # type: ignore[attr-defined]

    def words(self, source: Source) -> str:
        state = _state(source)
        return state.words[:120] if state else ""

    words.short_description = gettext_lazy("what is wrong")  # type: ignore[attr-defined]


def _state(source: Source) -> SourceState | None:
    return next(iter(source.state.all()), None)


def _next_look(source: Source) -> datetime | None:
    return SourceDue.objects.filter(source_id=source.pk).values_list("due_at", flat=True).first()
