"""Flattens the nested errors of serializers into a list, each with a pointer to its place."""

from typing import Any

from django.utils.translation import gettext as _

from tenants.faults import ItemError, pointer_to

MAX_ERRORS = 100
#: Where DRF puts what concerns a whole object rather than one of its fields.
_WHOLE = frozenset({"non_field_errors", "__all__"})


def field_errors(detail: Any) -> list[ItemError]:
    """DRF's nested lists and dicts of ErrorDetail as item errors."""
    found: list[ItemError] = []
    _collect(detail, "", None, found)
    return found


def _collect(detail: Any, pointer: str, index: int | None, found: list[ItemError]) -> None:
    if len(found) >= MAX_ERRORS:
        return
    if isinstance(detail, dict):
        for name, inner in detail.items():
            where = pointer if name in _WHOLE else pointer_to(pointer, name)
            _collect(inner, where, _index_of(name, pointer, index), found)
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            if isinstance(inner, dict | list):
                _collect(inner, pointer_to(pointer, position), position if not pointer else index, found)
            else:
                _collect(inner, pointer, index, found)
    else:
        found.append(ItemError(index, pointer, getattr(detail, "code", "invalid"), _message(detail, pointer)))


def _index_of(name: Any, pointer: str, index: int | None) -> int | None:
    # A ListField reports the faulty entries as a dict of positions.
    return name if isinstance(name, int) and not pointer else index


def _message(detail: Any, pointer: str) -> str:
    """DRF's words, led by the field they are about."""
    field = pointer.rpartition("/")[2]
    return f"{field}: {detail}" if field and not field.isdigit() else str(detail)


def summary(errors: list[ItemError]) -> str:
    """One sentence for all of them."""
    if len(errors) == 1:
        return errors[0].message
    return _("%(count)d fields are not valid; see errors.") % {"count": len(errors)}
