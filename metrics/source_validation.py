"""Judges metric sources before they are saved, for the REST API and the admin forms alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from channels.errors import UnknownKind
from channels.validation import Faults, struct_faults
from metrics.collectors import registry
from metrics.collectors.base import LABEL_NAME, MAX_LABEL_VALUE, MAX_LABELS
from metrics.models import Source

MAX_SOURCES = 500


def source_faults(kind: str, settings: Any, credentials: Any, labels: Any) -> Faults:
    """What is wrong with a source: by field, and inside settings and credentials by their own fields."""
    try:
        faults = struct_faults(registry.collector(kind), settings, credentials)
    except UnknownKind:
        return {"kind": [unknown_kind()]}
    if fault := label_fault(labels):
        faults["labels"] = [fault]
    return faults


def label_fault(labels: Any) -> str:
    """What is wrong with labels that a tenant adds; empty when nothing is."""
    if not isinstance(labels, Mapping) or len(labels) > MAX_LABELS:
        return _("Give at most %(count)d labels, each with a text.") % {"count": MAX_LABELS}
    for name, text in labels.items():
        if not LABEL_NAME.fullmatch(str(name)):
            return _("%(name)s cannot be used as a name.") % {"name": str(name)[:80]}
        if not isinstance(text, str) or not 1 <= len(text) <= MAX_LABEL_VALUE or "\0" in text:
            return _("A label's text has from 1 to %(length)d characters.") % {"length": MAX_LABEL_VALUE}
    return ""


def has_room() -> bool:
    """Whether the tenant of the context may have one more source."""
    return Source.objects.count() < MAX_SOURCES


def unknown_kind() -> str:
    """The sentence about a kind of source that does not exist."""
    return _("There is no such kind of source; choose one of %(known)s.") % {"known": ", ".join(registry.kinds())}
