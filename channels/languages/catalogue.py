"""The phrases of each language as they come with the service: read from locale/<lang>/alerts.yaml, checked once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from channels.languages.phrase import FORMS, OTHER, Phrase, PhraseError, check_text, needed_forms

ROOT = Path(__file__).resolve().parents[2] / "locale"
FILE = "alerts.yaml"
SOURCE = "en"

Catalogue = dict[str, Phrase]


class CatalogueError(ValueError):
    """A catalogue that cannot be used; the text names file and key."""


@cache
def catalogue(tag: str) -> Catalogue:
    """Return the phrases of one language or regional variant; empty when there is no file for it."""
    path = ROOT / tag / FILE
    return read(path, tag) if path.is_file() else {}


@cache
def languages() -> tuple[str, ...]:
    """Return the tags that have a catalogue."""
    return tuple(sorted(path.parent.name for path in ROOT.glob(f"*/{FILE}")))


def read(path: Path, tag: str) -> Catalogue:
    """Read and check one file or raise `CatalogueError`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # Both loaders build plain values only.
        tree = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise CatalogueError(f"{path}: {error}") from error
    found: Catalogue = {}
    _collect(path, tag, "", tree, found)
    return found


def _collect(path: Path, tag: str, key: str, node: Any, found: Catalogue) -> None:
    if isinstance(node, str):
        found[key] = _phrase(path, tag, key, {OTHER: node})
    elif isinstance(node, dict) and node and all(isinstance(name, str) for name in node):
        if OTHER in node:
            found[key] = _phrase(path, tag, key, node)
            return
        for name, child in node.items():
            _collect(path, tag, f"{key}.{name}" if key else name, child, found)
    else:
        # `no` and `on` without quotes are booleans to YAML.
        raise CatalogueError(f"{path}: {key or 'the file'} must be a text or a mapping of texts.")


def _phrase(path: Path, tag: str, key: str, forms: dict[str, Any]) -> Phrase:
    try:
        for form, text in forms.items():
            if form not in FORMS or not isinstance(text, str):
                raise PhraseError(f"{form} is not a plural form with a text.")
            check_text(text)
        if len(forms) > 1 and set(forms) != needed_forms(tag):
            raise PhraseError(f"its plural forms must be {', '.join(sorted(needed_forms(tag)))}.")
        return Phrase(tag, forms)
    except PhraseError as error:
        raise CatalogueError(f"{path}: {key}: {error}") from error
