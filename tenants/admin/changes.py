"""An audit entry's before and after, side by side."""

import json
from typing import Any, NamedTuple

from tenants.models import AuditEntry

MAX_SHOWN = 600


class Change(NamedTuple):
    """One value of an object before and after an act; empty where there was none."""

    name: str
    before: str
    after: str


def changes_of(entry: AuditEntry) -> list[Change]:
    """Return what an act changed, by field."""
    before, after = _mapping(entry.before), _mapping(entry.after)
    names = list(dict.fromkeys([*before, *after]))
    return [Change(name, _shown(before.get(name)), _shown(after.get(name))) for name in names]


def _mapping(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"": value}


def _shown(value: Any) -> str:
    if value is None or value == "":
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
