"""The fields of a configuration as those see them who may look and not change."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.html import format_html
from django.utils.translation import gettext as _

from alerting.admin.matching import matcher_chips
from tenants.admin.display import duration_text

MATCHER_FIELDS: Final = frozenset({"matchers", "source_matchers", "target_matchers"})
LABEL_FIELDS: Final = frozenset({"group_by", "equal", "ignored_labels"})


def as_shown(fieldsets: Sequence[Any], model: type[models.Model]) -> list[Any]:
    """Return the fieldsets with matchers as chips, durations as people write them, and objects line by line."""
    return [
        (title, {**options, "fields": [_shown(field, model) for field in options["fields"]]})
        for title, options in fieldsets
    ]


def _shown(name: Any, model: type[models.Model]) -> Any:
    field = _field(name, model)
    draw = None if field is None else _drawing(field)
    if field is None or draw is None:
        return name

    def shown(row: models.Model) -> Any:
        return draw(getattr(row, name))

    shown.__name__ = name
    shown.short_description = field.verbose_name  # type: ignore[attr-defined]
    return shown


def _field(name: Any, model: type[models.Model]) -> "models.Field[Any, Any] | None":
    """The column of that name; None for what a page works out itself."""
    try:
        found = model._meta.get_field(name) if isinstance(name, str) else None
    except FieldDoesNotExist:
        return None
    return found if isinstance(found, models.Field) else None


def _drawing(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    if field.name in MATCHER_FIELDS:
        return matcher_chips
    if field.name in LABEL_FIELDS:
        return lambda names: ", ".join(names or ()) or "–"
    if isinstance(field, models.DurationField):
        return lambda length: duration_text(length) or "–"
    if isinstance(field, models.JSONField):
        return _object
    return _zone if field.name == "time_zone" else None


def _object(value: Any) -> Any:
    return format_html('<pre class="al-pre">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))


def _zone(name: str) -> str:
    return name or _("the tenant's")
