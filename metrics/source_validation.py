"""Judges metric sources before they are saved, for the REST API and the admin forms alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from channels.errors import InvalidSettings
from metrics.collectors import registry
from metrics.collectors.base import LABEL_NAME, MAX_LABEL_VALUE, MAX_LABELS
from metrics.collectors.registry import UnknownSource
from metrics.models import Source

MAX_SOURCES = 500
Faults = dict[str, Any]


def source_faults(kind: str, settings: Any, credentials: Any, labels: Any) -> Faults:
    """What is wrong with a source: by field, and inside settings and credentials by their own fields."""
    try:
        one = registry.collector(kind)
    except UnknownSource:
        return {"kind": [unknown_kind()]}
    faults: Faults = {}
    for name, value, check in (
        ("settings", settings, one.settings_from),
        ("credentials", credentials, one.credentials_from),
    ):
        if not isinstance(value, Mapping):
            faults[name] = [_("This is an object.")]
            continue
        try:
            check(value)
        except InvalidSettings as error:
            faults[name] = _by_field(error.errors)
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


def moved_credentials_fault(old: Source | None, kind: str, settings: Mapping[str, Any]) -> str:
    """Whether stored credentials would be told to another place than the one they were given for.

    Whoever may change the address of a source must not thereby read its password at a server of their own.
    """
    if old is None or not old.credentials:
        return ""
    try:
        one = registry.collector(kind)
        if old.kind == kind and one.place(one.settings_from(old.settings)) == one.place(one.settings_from(settings)):
            return ""
    except (UnknownSource, InvalidSettings):
        # What cannot be read cannot be compared; then the safe answer is to ask.
        return _("The address is another one; give the credentials again.")
    return _("The address is another one; give the credentials again.")


def has_room() -> bool:
    """Whether the tenant of the context may have one more source."""
    return Source.objects.count() < MAX_SOURCES


def unknown_kind() -> str:
    """The sentence about a kind of source that does not exist."""
    return _("There is no such kind of source; choose one of %(known)s.") % {"known": ", ".join(registry.kinds())}


def credentials_of(source: Source) -> dict[str, Any]:
    """A source's secrets, decrypted."""
    found: dict[str, Any] = json.loads(source.credentials) if source.credentials else {}
    return found


def _by_field(errors: Mapping[str, str]) -> Any:
    if "" in errors:
        return list(errors.values())
    return {field: [text] for field, text in errors.items()}
