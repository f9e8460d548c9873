"""Reads the catalogue: metrics by area out of the YAML beside this file, their texts out of locale/<language>."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import yaml
from django.conf import settings
from django.utils import translation

from metrics.thresholds.conditions import KINDS

AREAS: Final = ("streaming", "revenue", "engagement", "ai", "technical")
#: The label by which alerts, and thresholds that came with a metric, name it.
LABEL: Final = "catalogue"
FOLDER: Final = Path(__file__).parent
SPAN: Final = re.compile(r"([0-9]+)([smhd])")
UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class CatalogueError(ValueError):
    """A file of the catalogue does not say what it should; the text names place and fault."""


class DefaultThreshold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A threshold as a tenant gets it with the metric."""

    kind: str
    settings: dict[str, Any] = {}
    severity: Literal["info", "warning", "error", "critical"] = "warning"
    hold: str = "0s"
    paging: Literal["always", "earned", "never"] = "always"


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One metric of the catalogue.

    `metric` is the name that series of it usually have, `period` how often a value of it means something, `labels`
    what it is usually told apart by; values below `least` or above `most` cannot be.
    """

    metric: str
    unit: str
    direction: Literal["higher", "lower", "neither"]
    aggregation: Literal["sum", "mean", "max", "min", "last", "rate", "p95"]
    period: str
    labels: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    computed: Literal["", "psi", "ks"] = ""
    thresholds: tuple[DefaultThreshold, ...] = ()
    # Given by the place it stands at.
    area: str = ""
    key: str = ""


class Texts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said about a metric: its name, what it measures, what a bad value means, what to look at first."""

    name: str
    about: str
    trouble: str
    action: str


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One language's file."""

    areas: dict[str, str]
    metrics: dict[str, Texts]


@cache
def entries() -> Mapping[str, Entry]:
    """Return every metric by its key, `area.name`, in the order of the files; raises `CatalogueError`."""
    found: dict[str, Entry] = {}
    for area in AREAS:
        read = _read(FOLDER / f"{area}.yaml", dict[str, Entry])
        for name, entry in read.items():
            key = f"{area}.{name}"
            found[key] = msgspec.structs.replace(entry, area=area, key=key)
            _check(found[key])
    return found


def entry(key: str) -> Entry | None:
    """Return one metric, None when the catalogue has no such key."""
    return entries().get(key)


@cache
def words(language: str) -> Words:
    """Return one language's texts; raises `CatalogueError`."""
    found: Words = _read(Path(settings.LOCALE_PATHS[0]) / language / "metrics.yaml", Words)
    return found


def texts(key: str, language: str = "") -> Texts:
    """Return the texts of a metric in a language, by default the one of the reader; English where there is none."""
    language = language or translation.get_language() or "en"
    known = {code for code, _name in settings.LANGUAGES}
    return words(language if language in known else "en").metrics[key]


def advice(labels: Mapping[str, str]) -> list[str]:
    """Return what a bad value means and what to look at first, in the running language; nothing without a metric."""
    key = labels.get(LABEL, "")
    return [texts(key).trouble, texts(key).action] if key in entries() else []


def area_name(area: str) -> str:
    """Return the name of an area in the reader's language."""
    language = translation.get_language() or "en"
    known = {code for code, _name in settings.LANGUAGES}
    return words(language if language in known else "en").areas[area]


def span(text: str) -> timedelta:
    """Return a time as the files write it, such as 5m; raises ValueError."""
    found = SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time such as 5m")
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


def _read(file: Path, shape: Any) -> Any:
    try:
        return msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), type=shape)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise CatalogueError(f"{file.name}: {error}") from error


def _check(one: Entry) -> None:
    """Raise `CatalogueError` for a threshold that could never be made."""
    try:
        span(one.period)
        for threshold in one.thresholds:
            span(threshold.hold)
            msgspec.convert(threshold.settings, type=KINDS[threshold.kind])
    except (ValueError, KeyError, msgspec.ValidationError) as error:
        raise CatalogueError(f"{one.key}: {error}") from error
