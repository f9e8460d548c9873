"""The built-in catalogue of metrics (docs/metric-catalogue.md): what there is, and what a tenant switched on."""

from metrics.catalogue.loading import AREAS, CatalogueError, Entry, Texts, area_name, entries, entry, span, texts, words

__all__ = ["AREAS", "CatalogueError", "Entry", "Texts", "area_name", "entries", "entry", "span", "texts", "words"]
