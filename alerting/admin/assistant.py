"""The assistant's one page: which language model may describe groups; none by default."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from alerting.admin.forms import ConfigurationAdmin, JudgedForm
from alerting.models import LanguageModel
from tenants.admin.one_row import OneRowAdmin


class LanguageModelForm(JudgedForm):
    """The key is taken and never shown again."""

    new_key = forms.CharField(
        label=_("API key"),
        required=False,
        max_length=500,
        widget=UnfoldAdminPasswordWidget(),
        help_text=_("Leave it empty to keep the stored one."),
    )
    forget_key = forms.BooleanField(
        label=_("remove the stored key"), required=False, widget=UnfoldBooleanSwitchWidget()
    )

    class Meta:
        model = LanguageModel
        fields = ("url", "model", "seconds", "is_active")

    def clean(self) -> dict[str, Any]:
        """Take the key over where one was typed."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("forget_key"):
            self.instance.api_key = ""
        if data.get("new_key"):
            self.instance.api_key = data["new_key"]
        return data


class LanguageModelAdmin(OneRowAdmin, ConfigurationAdmin):
    """One row a tenant."""

    form = LanguageModelForm
    fields = ("url", "model", "new_key", "forget_key", "seconds", "is_active")
    list_before_template = "admin/alerting/hints/assistant.html"
    change_form_before_template = "admin/alerting/hints/assistant.html"
