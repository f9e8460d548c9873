"""Judges channels and templates before they are saved, for the REST API and the admin forms alike."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from django.utils.translation import gettext as _

from channels import registry
from channels.errors import InvalidSettings, UnknownKind
from channels.kinds import Kind, KindRegistry
from channels.models import MessageTemplate
from channels.templating import check_parts

MAX_PARTS = 16
MAX_PART = 20_000
Faults = dict[str, Any]


class HasKind(Protocol):
    """A row that holds what something of one kind needs; its secrets as JSON text, decrypted when read."""

    kind: Any
    settings: Any
    credentials: Any


def channel_faults(kind: str, settings: Any, credentials: Any) -> Faults:
    """What is wrong with a channel: by field, and inside settings and credentials by their own fields."""
    try:
        return struct_faults(registry.adapter(kind), settings, credentials)
    except UnknownKind:
        return {"kind": [unknown_kind()]}


def struct_faults(one: Kind, settings: Any, credentials: Any) -> Faults:
    """What is wrong with the settings and credentials of something of this kind, by their own fields."""
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
    return faults


def template_faults(kind: str, parts: Any) -> Faults:
    """What is wrong with a template, by part; each part is tried on the worst messages in a process of its own."""
    if kind not in registry.kinds():
        return {"kind": [unknown_kind()]}
    if not isinstance(parts, Mapping) or not all(isinstance(text, str) for text in parts.values()):
        return {"parts": [_("This is an object of texts.")]}
    if faults := size_faults(parts):
        return faults
    found = check_parts(kind, parts)
    if not found:
        return {}
    line = _("line %(line)d: %(message)s")
    return {
        "parts": {
            part: [line % {"line": problem.line, "message": problem.text} for problem in problems]
            for part, problems in found.items()
        }
    }


def size_faults(parts: Mapping[str, str]) -> Faults:
    """Whether there is more text than a template may have."""
    if len(parts) <= MAX_PARTS and all(len(text) <= MAX_PART for text in parts.values()):
        return {}
    message = _("A template has at most %(parts)d parts of %(length)d characters.")
    return {"parts": [message % {"parts": MAX_PARTS, "length": MAX_PART}]}


def template_mismatch(kind: str, template: MessageTemplate | None) -> Faults:
    """Whether a channel of this kind would use a template made for another one."""
    if template is None or template.kind == kind:
        return {}
    return {"template": [_("This template is for another kind of channel.")]}


def unknown_kind() -> str:
    """The sentence about a kind of channel that does not exist."""
    return _("There is no such kind of channel; choose one of %(known)s.") % {"known": ", ".join(registry.kinds())}


def moved_credentials_fault(known: KindRegistry[Any], old: HasKind | None, kind: str, settings: Any) -> str:
    """Whether stored credentials would be told to another place than the one they were given for.

    Whoever may change the address of something must not thereby read its password at a server of their own.
    """
    if old is None or not old.credentials:
        return ""
    try:
        one = known.get(kind)
        new_place = one.place(one.settings_from(settings))
    except (UnknownKind, InvalidSettings):
        # Never stored: whoever judges the settings says what is wrong with them, which helps more than this.
        return ""
    try:
        old_place = one.place(one.settings_from(old.settings)) if old.kind == kind else None
    except InvalidSettings:
        # What cannot be read cannot be compared; then the safe answer is to ask.
        old_place = None
    return "" if old_place == new_place else _("The address is another one; give the credentials again.")


def credentials_of(row: HasKind) -> dict[str, Any]:
    """The secrets of a channel or a source, decrypted."""
    found: dict[str, Any] = json.loads(row.credentials) if row.credentials else {}
    return found


def _by_field(errors: Mapping[str, str]) -> Any:
    if "" in errors:
        return list(errors.values())
    return {field: [text] for field, text in errors.items()}
