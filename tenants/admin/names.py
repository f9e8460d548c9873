"""The names of the objects whose ids stand in the values of audit entries."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from tenants.models import AuditEntry, Membership

# A page of entries holds far fewer; what is beyond stays an id.
MAX_NAMED: Final = 500


def names_in(entries: Iterable[AuditEntry]) -> dict[str, str]:
    """Return the names by id: people as members, all else as the audit log knew it last, even if it is gone.

    Two statements, however many entries; inside the tenant's context.
    """
    ids = sorted({one for entry in entries for value in (entry.before, entry.after) for one in _ids(value)})[:MAX_NAMED]
    if not ids:
        return {}
    known = AuditEntry._default_manager.filter(object_id__in=ids).exclude(object_label="")
    names = dict(known.order_by("at", "id").values_list("object_id", "object_label"))
    members = Membership._default_manager.filter(user_id__in=ids).select_related("user")
    return names | {str(member.user_id): str(member.user) for member in members}


def named(value: Any, names: Mapping[str, str]) -> Any:
    """Return the value with names in place of the ids that have one."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return {key: named(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [named(item, names) for item in value]
    return value


def _ids(value: Any) -> Iterator[str]:
    """The ids in a value, however deep."""
    if isinstance(value, str):
        if _is_id(value):
            yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _ids(item)


def _is_id(text: str) -> bool:
    try:
        return len(text) == 36 and str(UUID(text)) == text
    except ValueError:
        return False
