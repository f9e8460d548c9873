"""The form of a metric source: common fields, then those of its kind; secrets go in and never come out."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from metrics.admin.source_fields import PairsField, field_name, struct_fields
from metrics.collectors import registry
from metrics.models import Source
from metrics.source_validation import MAX_SOURCES, credentials_of, has_room, moved_credentials_fault, source_faults
from tenants.admin.forms import TenantModelForm

PARTS = ("settings", "credentials")
EMPTY: tuple[Any, ...] = (None, "", [], {})


class SourceForm(TenantModelForm):
    """Fields named `<part>__<kind>__<field>` carry what the collectors' structs ask for."""

    kind = forms.ChoiceField(label=gettext_lazy("kind"), choices=registry.choices, widget=UnfoldAdminSelectWidget())
    labels = PairsField(
        label=gettext_lazy("labels"),
        help_text=gettext_lazy("name = text, one a line; added to every series, before what the source says."),
    )
    forget_credentials = forms.BooleanField(
        label=gettext_lazy("remove stored credentials"), required=False, widget=UnfoldBooleanSwitchWidget()
    )

    class Meta:
        model = Source
        fields = ("name", "kind", "labels", "interval", "timeout", "is_active")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.is_new = self.instance._state.adding
        self.before = None if self.is_new else Source(**self._stored())
        if "kind" in self.fields and not self.is_new:
            self.fields["kind"].disabled = True
        if not self.is_new:
            for name, value in (self.instance.settings or {}).items():
                self.initial[field_name(self.instance.kind, "settings", name)] = value

    def _stored(self) -> dict[str, Any]:
        kept = ("kind", "settings", "credentials")
        return {name: getattr(self.instance, name) for name in kept}

    def clean(self) -> dict[str, Any]:
        """Build the settings and credentials of the chosen kind and let its collector judge them."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        kind = data.get("kind", "")
        if kind not in registry.kinds() or any(name.split("__")[1:2] == [kind] for name in self.errors):
            return data
        settings, credentials = self._settings(kind, data), self._credentials(kind, data)
        self.instance.settings = settings
        if credentials is None and (fault := moved_credentials_fault(self.before, kind, settings)):
            self.add_error(self._first_secret(kind), ValidationError(fault))
            return data
        held = credentials if credentials is not None else credentials_of(self.instance)
        self.instance.credentials = json.dumps(held) if held else ""
        self._tell_faults(kind, source_faults(kind, settings, held, data.get("labels") or {}))
        if self.is_new and not has_room():
            self.add_error(None, _("A tenant has at most %(count)d metric sources.") % {"count": MAX_SOURCES})
        return data

    def _given(self, kind: str, part: str, data: dict[str, Any]) -> dict[str, Any]:
        prefix = field_name(kind, part, "")
        found = {name.removeprefix(prefix): value for name, value in data.items() if name.startswith(prefix)}
        return {name: value for name, value in found.items() if value not in EMPTY}

    def _settings(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        return self._given(kind, "settings", data)

    def _credentials(self, kind: str, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return new credentials, or None where the stored ones stay."""
        typed = self._given(kind, "credentials", data)
        if data.get("forget_credentials") or self.is_new:
            return typed
        if not typed:
            return None
        # What is typed is added to what is stored, unless that would be told to another place.
        keeps = not moved_credentials_fault(self.before, kind, self.instance.settings)
        return {**credentials_of(self.instance), **typed} if keeps else typed

    def _first_secret(self, kind: str) -> str | None:
        return next((name for name in self.fields if name.startswith(field_name(kind, "credentials", ""))), None)

    def _tell_faults(self, kind: str, faults: dict[str, Any]) -> None:
        for part, found in faults.items():
            if not isinstance(found, dict):
                self.add_error(part if part in self.fields else None, ValidationError(list(found)))
                continue
            for name, texts in found.items():
                field = field_name(kind, part, name)
                self.add_error(field if field in self.fields else None, ValidationError(list(texts)))


def form_for(kinds: list[str], *, is_new: bool) -> type[SourceForm]:
    """Return a form class with the fields of these kinds."""
    fields: dict[str, Any] = {}
    for kind in kinds:
        for part in PARTS:
            fields.update(struct_fields(registry.collector(kind), part, is_new=is_new))
    return type("SourceFormOfKind", (SourceForm,), fields)


def names_of(kind: str, part: str) -> list[str]:
    """Return the names in the form of one part of one kind."""
    return list(struct_fields(registry.collector(kind), part, is_new=False))
