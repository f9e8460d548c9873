"""Filters of the working lists."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import CheckboxFilter

from alerting.models import GroupStatus
from alerting.severity import CHOICES


class StatusFilter(CheckboxFilter):
    """Any of the chosen states."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(GroupStatus.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = [value for value in self.value() or () if value in GroupStatus.values]
        return queryset.filter(status__in=wanted) if wanted else queryset


class SeverityFilter(CheckboxFilter):
    """Any of the chosen severities."""

    title = _("severity")
    parameter_name = "severity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(value), title) for value, title in reversed(CHOICES)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        known = {str(value) for value, _title in CHOICES}
        wanted = [int(value) for value in self.value() or () if value in known]
        return queryset.filter(severity__in=wanted) if wanted else queryset
