"""What goes with a row that is deleted, counted by the database."""

from typing import Any

from django.db import models
from django.utils.text import capfirst

MAX_NAMED = 20
COUNT_UP_TO = 10_000


def consequences(
    model: type[models.Model], objs: list[models.Model], refused: set[str]
) -> tuple[list[Any], dict[str, int | str], set[str], list[str]]:
    """Return what Django's confirmation page wants: names, counts by kind, missing permissions, what forbids it.

    Django's own collector loads every row that hangs on the object; a channel may have millions of deliveries.
    """
    names: list[Any] = [f"{capfirst(model._meta.verbose_name)}: {obj}" for obj in objs]
    counts: dict[str, int | str] = {str(model._meta.verbose_name_plural): len(objs)}
    protected: list[str] = []
    for relation in _relations(model):
        rows = relation.related_model._default_manager.filter(**{f"{relation.field.name}__in": objs})
        title = str(relation.related_model._meta.verbose_name_plural)
        if relation.on_delete is models.PROTECT:
            kind = capfirst(relation.related_model._meta.verbose_name)
            protected += [f"{kind}: {row}" for row in rows[:MAX_NAMED]]
        elif relation.on_delete is models.CASCADE:
            counted = rows.order_by()[: COUNT_UP_TO + 1].count()
            if counted:
                counts[title] = counted if counted <= COUNT_UP_TO else f"> {COUNT_UP_TO}"
    return names, counts, refused, protected


def _relations(model: type[models.Model]) -> list[Any]:
    """Return the keys that point at a model, those without a reverse name too."""
    fields = model._meta.get_fields(include_hidden=True)
    return [field for field in fields if isinstance(field, models.ManyToOneRel) and not field.concrete]
