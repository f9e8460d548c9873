"""The model form of the admin: it knows the tenant, so that names are unique before the database says so."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.models import construct_instance
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from tenants.context import current_tenant_id


class TenantModelForm(forms.ModelForm):
    """Stamps the tenant of the context on the row and checks its constraints with it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.label = capfirst(field.label) if field.label else field.label

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() - {"tenant"}  # type: ignore[misc, no-any-return]

    def _post_clean(self) -> None:
        """Validate as Django does, but judge the row in words before its constraints, whose names say little."""
        if self.instance.tenant_id is None:
            self.instance.tenant_id = current_tenant_id()
        try:
            self.instance = construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)
            exclude = self._get_validation_exclusions()
            self.instance.full_clean(exclude=exclude, validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            self._update_errors(error)  # type: ignore[attr-defined]
        for step in (self.validate_unique, self.judge, self.check_constraints):
            if not self.errors:
                step()

    def judge(self) -> None:
        """Add what is wrong with the row as a whole; the default knows nothing."""

    def check_constraints(self) -> None:
        """Say a clash where it can be mended: at the field that has to differ."""
        model, excluded = type(self.instance), self._get_validation_exclusions()
        for constraint in model._meta.constraints:
            try:
                constraint.validate(model, self.instance, exclude=excluded)
            except ValidationError as error:
                self._tell(constraint, error)

    def _tell(self, constraint: models.BaseConstraint, error: ValidationError) -> None:
        if isinstance(constraint, models.UniqueConstraint):
            fields = _fields_of(constraint)
            if len(fields) == 1 and fields[0] in self.fields:
                self.add_error(fields[0], _("There is already one with this value."))
                return
        self.add_error(None, error)


def _fields_of(constraint: models.UniqueConstraint) -> list[str]:
    """Return the fields of a constraint but for the tenant, however it names them."""
    named: list[Any] = [*constraint.fields, *(getattr(item, "name", "") for item in constraint.expressions)]
    return [name for name in named if name and name != "tenant"]
