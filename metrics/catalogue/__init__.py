"""The built-in catalogue of metrics (docs/metric-catalogue.md): what there is, and what a tenant switched on."""

from metrics.catalogue.loading import (
    AREAS,
    LABEL,
    CatalogueError,
    Entry,
    Texts,
    advice,
    area_name,
    entries,
    entry,
    span,
    texts,
    words,
)

__all__ = [
    "AREAS",
    "LABEL",
    "CatalogueError",
    "Entry",
    "Texts",
    "advice",
    "area_name",
    "entries",
    "entry",
    "span",
    "texts",
    "words",
]
