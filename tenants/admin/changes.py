"""An audit entry's before and after, side by side."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from tenants.admin.names import named
from tenants.models import AuditEntry

MAX_SHOWN = 600


class Change(NamedTuple):
    """One value of an object before and after an act; empty where there was none."""

    name: str
    before: str
    after: str


def changes_of(entry: AuditEntry, names: Mapping[str, str]) -> list[Change]:
    """Return what an act changed, by field; ids that have a name (`names_in`) are shown by it."""
    before, after = _mapping(entry.before), _mapping(entry.after)
    fields = list(dict.fromkeys([*before, *after]))
    return [Change(field, _shown(before.get(field), names), _shown(after.get(field), names)) for field in fields]


def _mapping(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"": value}


def _shown(value: Any, names: Mapping[str, str]) -> str:
    if value is None or value == "":
        return ""
    value = named(value, names)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
