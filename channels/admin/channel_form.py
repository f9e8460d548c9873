"""The form of a channel: what all channels share, then the fields of its kind."""

import base64
import secrets
from typing import Any, Self
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminSelectWidget

from channels import registry
from channels.admin.channel_words import WORDS
from channels.admin.struct_fields import field_name
from channels.admin.struct_form import StructForm
from channels.models import Channel
from channels.validation import Faults, channel_faults, template_mismatch


def _zones() -> list[tuple[str, Any]]:
    return [("", _("the tenant's")), *((name, name) for name in sorted(available_timezones()))]


class ChannelForm(StructForm):
    """A destination; a new webhook is offered a fresh secret."""

    known = registry.ADAPTERS
    words = WORDS

    kind = forms.ChoiceField(label=_("kind"), choices=registry.choices, widget=UnfoldAdminSelectWidget())
    time_zone = forms.ChoiceField(
        label=_("time zone"), choices=_zones, required=False, widget=UnfoldAdminSelect2Widget()
    )

    class Meta:
        model = Channel
        # Keys to other rows are added per request by the page: their choices exist only inside a tenant.
        fields = ("name", "kind", "locale", "time_zone", "semantics", "rate_per_minute", "send_resolved", "is_active")

    @classmethod
    def of_kinds(cls, kinds: list[str], *, is_new: bool) -> type[Self]:
        made = super().of_kinds(kinds, is_new=is_new)
        signing = made.base_fields.get(field_name("webhook", "credentials", "secrets"))
        if is_new and signing is not None:
            signing.initial = [new_signing_secret()]
        return made

    def faults(self, kind: str, credentials: dict[str, Any], data: dict[str, Any]) -> Faults:
        found = channel_faults(kind, self.instance.settings, credentials)
        return found | template_mismatch(kind, data.get("template"))


def new_signing_secret() -> str:
    """Return a fresh secret in the form that Standard Webhooks prescribes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
