"""A tenant's own phrases: chosen from those there are, checked as they are typed, shown in whole messages."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminTextInputWidget

from channels.languages.trying import built_in, keys, try_phrase
from channels.models import PhraseOverride
from tenants.admin.base import TenantModelAdmin
from tenants.admin.display import moment
from tenants.admin.forms import TenantModelForm

#: Said besides the languages themselves: the regions in which they are spoken differently.
REGIONS = ("en-US", "en-GB", "fr-CA", "fr-CH", "fr-BE", "de-AT", "de-CH", "es-MX", "es-AR", "it-CH")


def phrase_choices() -> list[Any]:
    """Return every phrase with its English text, by section."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for leaf, text in keys().items():
        sections.setdefault(leaf.partition(".")[0], []).append((leaf, f"{leaf}: {text}"))
    return [("", ""), *((name, found) for name, found in sections.items())]


class PhraseForm(TenantModelForm):
    """One phrase in one language; the model refuses names in braces that the phrase does not have."""

    key = forms.ChoiceField(label=gettext_lazy("phrase"), choices=phrase_choices, widget=UnfoldAdminSelect2Widget())

    class Meta:
        model = PhraseOverride
        fields = ("locale", "key", "text")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "locale" in self.fields:
            self.fields["locale"].widget = UnfoldAdminTextInputWidget(
                attrs={"list": "phrase-locales", "autocomplete": "off"}
            )


class PhraseOverrideAdmin(TenantModelAdmin):
    """What this tenant says in its own words."""

    form = PhraseForm
    list_display = ("key", "locale", "text", "instead_of", "updated")
    list_filter = ("locale",)
    search_fields = ("key", "text")
    change_form_after_template = "admin/channels/phrase_preview.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.preview))
        return [path("preview/", view, name="channels_phraseoverride_preview"), *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        locales = [*(code for code, _name in settings.LANGUAGES), *REGIONS]
        return super().changeform_view(request, object_id, form_url, {"locales": locales, **(extra_context or {})})

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Say the unsaved phrase."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        locale, key, text = (request.POST.get(name, "").strip() for name in ("locale", "key", "text"))
        tried = try_phrase(locale, key, text) if locale and key else None
        return render(request, "admin/channels/parts/phrase.html", {"tried": tried, "typed": text})

    def instead_of(self, phrase: PhraseOverride) -> str:
        return built_in(phrase.locale, phrase.key)

    instead_of.short_description = gettext_lazy("instead of")  # type: ignore[attr-defined]

    def updated(self, phrase: PhraseOverride) -> Any:
        return moment(phrase.updated_at)

    updated.short_description = gettext_lazy("changed")  # type: ignore[attr-defined]
    updated.admin_order_field = "updated_at"  # type: ignore[attr-defined]
