"""Judges channels and templates before they are saved, for the REST API and the admin forms alike."""

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from channels import registry
from channels.errors import InvalidSettings, UnknownKind
from channels.models import Channel
from channels.templating import check_parts

MAX_PARTS = 16
MAX_PART = 20_000
Faults = dict[str, Any]


def channel_faults(kind: str, settings: Any, credentials: Any) -> Faults:
    """What is wrong with a channel: by field, and inside settings and credentials by their own fields."""
    try:
        adapter = registry.adapter(kind)
    except UnknownKind:
        return {"kind": [unknown_kind()]}
    faults: Faults = {}
    for name, value, check in (
        ("settings", settings, adapter.settings_from),
        ("credentials", credentials, adapter.credentials_from),
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


def template_mismatch(channel: Channel) -> Faults:
    """Whether the channel uses a template made for another kind."""
    if channel.template is None or channel.template.kind == channel.kind:
        return {}
    return {"template": [_("This template is for another kind of channel.")]}


def unknown_kind() -> str:
    """The sentence about a kind of channel that does not exist."""
    return _("There is no such kind of channel; choose one of %(known)s.") % {"known": ", ".join(registry.kinds())}


def credentials_of(channel: Channel) -> dict[str, Any]:
    """A channel's secrets, decrypted."""
    found: dict[str, Any] = json.loads(channel.credentials) if channel.credentials else {}
    return found


def _by_field(errors: Mapping[str, str]) -> Any:
    if "" in errors:
        return list(errors.values())
    return {field: [text] for field, text in errors.items()}
