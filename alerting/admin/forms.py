"""Forms of the alerting configuration: judged as whole rows by the same rules as the REST API."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest

from alerting.admin.fields import DurationTextField, LabelListField, MatchersField
from alerting.admin.shown import LABEL_FIELDS, MATCHER_FIELDS, as_shown
from alerting.validation import check
from tenants.admin.base import TenantModelAdmin
from tenants.admin.forms import TenantModelForm


class JudgedForm(TenantModelForm):
    """Tells what is wrong with the row as a whole at the field where it can be mended."""

    def judge(self) -> None:
        """Add what the rules of this kind of configuration say."""
        try:
            check(self.instance)
        except ValidationError as error:
            self.add_errors(error)

    def add_errors(self, error: ValidationError) -> None:
        """Take over errors by field; one about a field that is not shown is told above the form."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for field, errors in error.error_dict.items():
            for one in errors:
                self.add_error(field if field in self.fields else None, one)


class ConfigurationAdmin(TenantModelAdmin):
    """A kind of configuration: matchers get the builder, durations and label lists their own fields."""

    form = JudgedForm

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return as_shown(fieldsets, self.model)

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: Any, **options: Any) -> Any:
        plain: dict[str, Any] = {
            "label": db_field.verbose_name,
            "required": not db_field.blank,
            "initial": db_field.get_default() if db_field.has_default() else None,
        }
        if db_field.help_text:
            plain["help_text"] = db_field.help_text
        if db_field.name in MATCHER_FIELDS:
            return MatchersField(**plain)
        if db_field.name in LABEL_FIELDS:
            return LabelListField(**plain)
        if isinstance(db_field, models.DurationField):
            return DurationTextField(**plain)
        return super().formfield_for_dbfield(db_field, request, **options)
