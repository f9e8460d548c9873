"""The form of a channel: common fields, then those of its kind; secrets go in and never come out."""

import json
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from channels import registry
from channels.admin.struct_fields import field_name, struct_fields
from channels.models import Channel
from channels.validation import channel_faults, credentials_of
from tenants.admin.forms import TenantModelForm

PARTS = ("settings", "credentials")
EMPTY: tuple[Any, ...] = (None, "", [])


def _zones() -> list[tuple[str, Any]]:
    return [("", _("the tenant's")), *((name, name) for name in sorted(available_timezones()))]


class ChannelForm(TenantModelForm):
    """Fields named `<part>__<kind>__<field>` carry what the adapters' structs ask for."""

    kind = forms.ChoiceField(label=_("kind"), choices=registry.choices, widget=UnfoldAdminSelectWidget())
    time_zone = forms.ChoiceField(
        label=_("time zone"), choices=_zones, required=False, widget=UnfoldAdminSelect2Widget()
    )
    forget_credentials = forms.BooleanField(
        label=_("remove stored credentials"), required=False, widget=UnfoldBooleanSwitchWidget()
    )

    class Meta:
        model = Channel
        # Keys to other rows are added per request by the page: their choices exist only inside a tenant.
        fields = ("name", "kind", "locale", "time_zone", "semantics", "rate_per_minute", "send_resolved", "is_active")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kinds = [self.instance.kind] if not self.instance._state.adding else registry.kinds()
        if "kind" in self.fields and not self.instance._state.adding:
            self.fields["kind"].disabled = True
        if not self.instance._state.adding:
            for name, value in (self.instance.settings or {}).items():
                self.initial[field_name(self.instance.kind, "settings", name)] = value

    def clean(self) -> dict[str, Any]:
        """Build the settings and credentials of the chosen kind and let its adapter judge them."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        kind = data.get("kind", "")
        if kind not in registry.kinds() or any(name.split("__")[1:2] == [kind] for name in self.errors):
            return data
        settings, credentials = self._settings(kind, data), self._credentials(kind, data)
        self.instance.settings = settings
        if credentials is not None:
            self.instance.credentials = json.dumps(credentials)
        held = credentials if credentials is not None else credentials_of(self.instance)
        self._tell_faults(kind, channel_faults(kind, settings, held))
        template = data.get("template")
        if template is not None and template.kind != kind:
            self.add_error("template", _("This template is for another kind of channel."))
        return data

    def _given(self, kind: str, part: str, data: dict[str, Any]) -> dict[str, Any]:
        prefix = field_name(kind, part, "")
        return {name.removeprefix(prefix): value for name, value in data.items() if name.startswith(prefix)}

    def _settings(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in self._given(kind, "settings", data).items() if value not in EMPTY}

    def _credentials(self, kind: str, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return new credentials, or None where the stored ones stay."""
        typed = {name: value for name, value in self._given(kind, "credentials", data).items() if value not in EMPTY}
        if data.get("forget_credentials"):
            return typed
        if self.instance._state.adding:
            return typed
        return {**credentials_of(self.instance), **typed} if typed else None

    def _tell_faults(self, kind: str, faults: dict[str, Any]) -> None:
        for part, found in faults.items():
            if not isinstance(found, dict):
                self.add_error(part if part in self.fields else None, ValidationError(list(found)))
                continue
            for name, texts in found.items():
                field = field_name(kind, part, name)
                self.add_error(field if field in self.fields else None, ValidationError(list(texts)))


def form_for(kinds: list[str], *, is_new: bool) -> type[ChannelForm]:
    """Return a form class with the fields of these kinds."""
    fields: dict[str, Any] = {}
    for kind in kinds:
        for part in PARTS:
            fields.update(struct_fields(registry.adapter(kind), part, is_new=is_new))
    return type("ChannelFormOfKind", (ChannelForm,), fields)


def names_of(kind: str, part: str) -> list[str]:
    """Return the names in the form of one part of one kind."""
    return list(struct_fields(registry.adapter(kind), part, is_new=False))
