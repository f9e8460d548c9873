"""Keeps locale/<lang>/LC_MESSAGES/django.po in step with the source, without the gettext tools: Babel does it all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT: Final = Path(__file__).resolve().parents[1]
LOCALE: Final = ROOT / "locale"
SOURCE: Final = "en"
LANGUAGES: Final = ("en", "fr", "de", "es", "it")
APPS: Final = ("tenants", "channels", "alerting", "metrics", "config")
TEMPLATES: Final = ("templates", "tenants", "channels", "alerting", "metrics")
KEYWORDS: Final[Mapping[str, Any]] = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CALL: Final = re.compile(r"\b(n?p?gettext|_)\(")
_NAMED: Final = re.compile(r"%\((\w+)\)([#0\- +]*[\d.]*[a-zA-Z])")
_BRACED: Final = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True, slots=True)
class Found:
    """One string of the source; `plural` and `context` are empty where there is none."""

    text: str
    plural: str
    context: str
    where: str


def po_path(language: str) -> Path:
    """Return where the catalogue of a language lies."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """Return the catalogue of a language, a new one when there is none."""
    path = po_path(language)
    if not path.is_file():
        return Catalog(locale=language, domain="django", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="django")


def refresh() -> dict[str, int]:
    """Bring every catalogue in step with the source and compile it; return what is untranslated by language."""
    template = Catalog(domain="django", charset="utf-8")
    for found in sorted(set(from_python()) | set(from_templates()), key=lambda one: (one.where, one.text)):
        key: str | tuple[str, str] = (found.text, found.plural) if found.plural else found.text
        template.add(key, locations=[(found.where, 1)], context=found.context or None)
    missing = {}
    for language in LANGUAGES:
        catalogue = read(language)
        # A guess from a similar string is worse than English.
        catalogue.update(deepcopy(template), no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        if language == SOURCE:
            _say_as_written(catalogue)
        save(language, catalogue)
        missing[language] = len(untranslated(catalogue))
    return missing


def save(language: str, catalogue: Catalog) -> None:
    """Write the catalogue and what gettext reads of it."""
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.header_comment = (
        f"# {catalogue.locale_identifier}: `make messages` keeps this file in step with the source."
    )
    catalogue.project, catalogue.version = "alerting", "1"
    # Times and names would change the file at each run.
    catalogue.creation_date = catalogue.revision_date = EPOCH
    catalogue.fuzzy = False
    catalogue.last_translator = catalogue.language_team = ""
    with path.open("wb") as file:
        write_po(file, catalogue, width=120, sort_by_file=False, omit_header=False, include_lineno=False)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)


def untranslated(catalogue: Catalog) -> list[str]:
    """Return the strings that are shown in English."""
    found = []
    for message in catalogue:
        texts = message.string if isinstance(message.string, list | tuple) else (message.string,)
        if message.id and (not all(texts) or message.fuzzy):
            found.append(message.id if isinstance(message.id, str) else message.id[0])
    return found


def mismatches(catalogue: Catalog) -> list[str]:
    """Return the strings whose translation names other values than they do."""
    wrong = []
    for message in catalogue:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, list | tuple) else (message.id,)
        texts = message.string if isinstance(message.string, list | tuple) else (message.string,)
        wanted = set().union(*map(_names, ids))
        # One of several forms may say "one" in a word, as the singular in English may.
        least = set.intersection(*map(_names, ids))
        if any(text and not least <= _names(text) <= wanted for text in texts):
            wrong.append(ids[0])
    return wrong


def from_python() -> Iterator[Found]:
    """Yield the strings of every module."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            for _line, ids, _comments, context in extract_from_file("python", path, keywords=KEYWORDS):
                yield _found(ids, context or "", path)


def from_templates() -> Iterator[Found]:
    """Yield the strings of every page."""
    for folder in TEMPLATES:
        for path in sorted((ROOT / folder).rglob("*.html")):
            python = templatize(path.read_text(encoding="utf-8"), origin=str(path))
            for name, arguments in _calls(python):
                texts = [text for text in arguments if isinstance(text, str)]
                context = texts.pop(0) if "p" in name else ""
                yield _found(texts[0] if len(texts) == 1 else tuple(texts[:2]), context, path)


def _found(ids: str | Sequence[str], context: str, path: Path) -> Found:
    where = path.relative_to(ROOT).as_posix()
    if isinstance(ids, str):
        return Found(ids, "", context, where)
    return Found(ids[0], ids[1] if len(ids) > 1 else "", context, where)


def _calls(python: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield the calls in what Django makes of a template: not a program, so each call is read by itself."""
    for start in _CALL.finditer(python):
        for end in re.finditer(r"\)", python[start.end() :]):
            try:
                call = ast.parse(python[start.start() : start.end() + end.end()].strip(), mode="eval").body
            except SyntaxError:
                continue
            if isinstance(call, ast.Call):
                yield start[1], [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
            break


def _names(text: str) -> set[str]:
    return {name for name, _form in _NAMED.findall(text)} | {f"{{{name}}}" for name in _BRACED.findall(text)}


def _say_as_written(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            message.string = message.id if isinstance(message.id, str) else tuple(message.id)
