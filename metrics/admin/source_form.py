"""The form of a metric source: what all sources share, then the fields of its kind."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from channels.admin.struct_fields import PairsField
from channels.admin.struct_form import StructForm
from channels.validation import Faults
from metrics.admin.source_words import WORDS
from metrics.collectors import registry
from metrics.models import Source
from metrics.source_validation import MAX_SOURCES, has_room, source_faults


class SourceForm(StructForm):
    """A place that is asked for values."""

    known = registry.COLLECTORS
    words = WORDS

    kind = forms.ChoiceField(label=gettext_lazy("kind"), choices=registry.choices, widget=UnfoldAdminSelectWidget())
    labels = PairsField(
        label=gettext_lazy("labels"),
        help_text=gettext_lazy("name = text, one a line; added to every series, before what the source says."),
    )

    class Meta:
        model = Source
        fields = ("name", "kind", "labels", "interval", "timeout", "is_active")

    def faults(self, kind: str, credentials: dict[str, Any], data: dict[str, Any]) -> Faults:
        found = source_faults(kind, self.instance.settings, credentials, data.get("labels") or {})
        if self.is_new and not has_room():
            found[""] = [_("A tenant has at most %(count)d metric sources.") % {"count": MAX_SOURCES}]
        return found
