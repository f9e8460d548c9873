"""Message templates: one editor a part, with a live preview rendered in a process that can be killed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from channels import registry
from channels.message import Message
from channels.models import Delivery, MessageTemplate
from channels.templating import hints_of, preview
from channels.templating.builtin import builtin_source
from channels.templating.samples import sample_message
from channels.validation import MAX_PART, template_faults
from tenants.admin.display import moment
from tenants.admin.forms import TenantModelForm
from tenants.admin.grants import GrantedAdmin

RECENT = 10


def part_field(kind: str, part: str) -> str:
    """Return the form's name for one part of one kind."""
    return f"part__{kind}__{part}"


class TemplateForm(TenantModelForm):
    """A template's name, kind and the Jinja2 source of each part; an empty part is the built-in one."""

    kind = forms.ChoiceField(
        label=gettext_lazy("kind of channel"), choices=registry.choices, widget=UnfoldAdminSelectWidget()
    )

    class Meta:
        model = MessageTemplate
        fields = ("name", "kind")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance._state.adding:
            return
        if "kind" in self.fields:
            self.fields["kind"].disabled = True
        for part, source in self.instance.parts.items():
            self.initial[part_field(self.instance.kind, part)] = source

    def clean(self) -> dict[str, Any]:
        """Try every part on the best and the worst messages; say the line of a fault."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        kind = data.get("kind", "")
        if kind not in registry.kinds():
            return data
        parts = sources_of(kind, data)
        self.instance.parts = parts
        for field, found in template_faults(kind, parts).items():
            if isinstance(found, dict):
                for part, texts in found.items():
                    self.add_error(part_field(kind, part), ValidationError(texts))
            else:
                self.add_error(field if field in self.fields else None, ValidationError(found))
        return data


def sources_of(kind: str, data: Any) -> dict[str, str]:
    """Return the sources somebody typed for a kind, by part, without the empty ones."""
    sources = {part: str(data.get(part_field(kind, part)) or "") for part in registry.adapter(kind).parts}
    return {part: source.replace("\r\n", "\n") for part, source in sources.items() if source.strip()}


def form_for(kinds: list[str]) -> type[TemplateForm]:
    """Return a form class with an editor for each part of these kinds."""
    fields: dict[str, Any] = {}
    for kind in kinds:
        for part in registry.adapter(kind).parts:
            look = {"rows": 8, "class": "al-code", "spellcheck": "false", "placeholder": builtin_source(kind, part)}
            fields[part_field(kind, part)] = forms.CharField(
                label=capfirst(part.replace("_", " ")),
                required=False,
                strip=False,
                max_length=MAX_PART,
                widget=UnfoldAdminTextareaWidget(attrs=look),
                help_text=_("Jinja2. Empty: the built-in text, shown in grey."),
            )
    return type("TemplateFormOfKind", (TemplateForm,), fields)


def recent_messages() -> list[tuple[Delivery, str]]:
    """What went out lately, each with the title of its alerts, so that one knows what one chooses."""
    rows = Delivery._default_manager.exclude(kind__in=("test", "verification")).select_related("channel")
    found = rows.order_by("-created_at", "-id")[:RECENT]
    return [(delivery, Message.from_json(bytes(delivery.message)).title) for delivery in found]


class MessageTemplateAdmin(GrantedAdmin):
    """A tenant's own texts for one kind of channel."""

    grant = "change_messagetemplate"
    list_display = ("name", "kind", "own_parts", "updated")
    list_filter = ("kind",)
    search_fields = ("name",)
    change_form_after_template = "admin/channels/template_preview.html"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        options["form"] = form_for([obj.kind] if obj is not None else registry.kinds())
        return super().get_form(request, obj, change=change, **options)

    @property
    def conditional_fields(self) -> dict[str, str]:
        """Show the parts of a kind only while that kind is chosen."""
        return {
            part_field(kind, part): f"kind == '{kind}'"
            for kind in registry.kinds()
            for part in registry.adapter(kind).parts
        }

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": ("name", "kind", "parts_text")})]
        kinds = [obj.kind] if obj is not None else registry.kinds()
        parts = [part_field(kind, part) for kind in kinds for part in registry.adapter(kind).parts]
        return [(None, {"fields": ("name", "kind", *parts)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("parts_text",) if obj is not None and not self.has_change_permission(request, obj) else ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.preview))
        return [path("preview/", view, name="channels_messagetemplate_preview"), *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        extra = {"recent": recent_messages(), "sample": sample_message().title, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, extra)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and say what renders empty: no fault, but hardly what was meant."""
        super().save_model(request, obj, form, change)
        for part, hints in hints_of(obj.kind, obj.parts).items():
            for hint in hints:
                words = _("%(part)s, line %(line)d: %(hint)s") % {"part": part, "line": hint.line, "hint": hint.text}
                messages.warning(request, words)

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Render the unsaved sources for a sample or for a message that really went out."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        kind = request.POST.get("kind") or request.POST.get("preview_kind", "")
        if kind not in registry.kinds():
            return render(request, "admin/channels/parts/preview.html", {"fault": _("Choose the kind of channel.")})
        message = self._message(request)
        shown = preview(kind, sources_of(kind, request.POST), message)
        types = registry.adapter(kind).parts
        parts = [
            (part, shown.parts.get(part, ""), types[part], shown.problems.get(part, []), shown.hints.get(part, []))
            for part in types
        ]
        context = {"parts": parts, "notes": shown.notes, "title": message.title, "drawing": shown.drawing}
        return render(request, "admin/channels/parts/preview.html", context)

    def _message(self, request: HttpRequest) -> Message:
        chosen = request.POST.get("preview_message", "")
        delivery = self._delivery(chosen) if chosen else None
        return Message.from_json(bytes(delivery.message)) if delivery is not None else sample_message()

    def _delivery(self, chosen: str) -> Delivery | None:
        try:
            return Delivery._default_manager.filter(pk=chosen).first()
        except ValidationError:
            return None

    def own_parts(self, template: MessageTemplate) -> str:
        return ", ".join(template.parts) or "–"

    own_parts.short_description = gettext_lazy("own parts")  # type: ignore[attr-defined]

    def parts_text(self, template: MessageTemplate) -> str:
        return "\n\n".join(f"{part}:\n{source}" for part, source in template.parts.items())

    parts_text.short_description = gettext_lazy("parts")  # type: ignore[attr-defined]

    def updated(self, template: MessageTemplate) -> Any:
        return moment(template.updated_at)

    updated.short_description = gettext_lazy("changed")  # type: ignore[attr-defined]
    updated.admin_order_field = "updated_at"  # type: ignore[attr-defined]
