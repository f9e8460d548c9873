"""What a field of a body takes: told in one phrase when something else was sent, and held to strictly."""

import re
from collections.abc import Callable
from copy import copy
from typing import Any, Final

import msgspec
from django.core import validators as core
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import fields
from rest_framework.exceptions import ErrorDetail
from rest_framework.serializers import BaseSerializer, ListSerializer

from tenants.faults import ItemError

Field = fields.Field[Any, Any, Any, Any]
Words = str | Promise
MAX_LISTED: Final = 40

_ZONED: Final = re.compile(r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})\Z")


def wanted(field: Field) -> str:
    """What the field takes, as the object of “send ...”; fields of our own may say it as `takes`."""
    if own := getattr(field, "takes", ""):
        return str(own)
    for kind, say in _WANTED:
        if isinstance(field, kind):
            return say(field)
    return _("a value as the API's documentation describes it")


def _text(field: Any) -> str:
    lowest = 0 if field.allow_blank else field.min_length or 1
    if field.max_length is None:
        return _("a text")
    return _("a text of %(lowest)d to %(limit)d signs") % {"lowest": lowest, "limit": field.max_length}


def _number(field: Any) -> str:
    kind = _("a whole number") if isinstance(field, fields.IntegerField) else _("a number")
    values = {"kind": kind, "lowest": field.min_value, "highest": field.max_value}
    if field.min_value is None:
        return kind
    if field.max_value is None:
        return _("%(kind)s of at least %(lowest)s") % values
    return _("%(kind)s from %(lowest)s to %(highest)s") % values


def _choice(field: Any) -> str:
    return _("one of: %(choices)s") % {"choices": choices_of(field)}


def choices_of(field: Any) -> str:
    """The words a choice knows."""
    known = [str(choice) for choice in field.choices if choice != ""]
    return ", ".join(known[:MAX_LISTED]) + (" …" if len(known) > MAX_LISTED else "")


def _list(field: Any) -> str:
    if field.max_length is None:
        return _("an array")
    return _("an array of at most %(limit)d entries") % {"limit": field.max_length}


def _object(field: Any) -> str:
    known = sorted(name for name, one in getattr(field, "fields", {}).items() if not one.read_only)
    return _("an object with the fields %(known)s") % {"known": ", ".join(known)} if known else _("an object")


_WANTED: Final[tuple[tuple[type, Callable[[Any], str]], ...]] = (
    (fields.EmailField, lambda _field: _("an e-mail address such as ada@example.org")),
    (fields.URLField, lambda _field: _("an address such as https://example.org/hook")),
    (fields.CharField, _text),
    (fields.ChoiceField, _choice),
    (fields.UUIDField, lambda _field: _("an id, a UUID as GET shows it")),
    (fields.IntegerField, _number),
    (fields.FloatField, _number),
    (fields.DecimalField, _number),
    (fields.BooleanField, lambda _field: _("true or false")),
    (fields.DateTimeField, lambda _field: _("an RFC 3339 time with its zone such as 2026-01-31T08:00:00Z")),
    (fields.DateField, lambda _field: _("a date such as 2026-01-31")),
    (fields.TimeField, lambda _field: _("a time of day such as 02:00")),
    (fields.ListField, _list),
    (fields.DictField, _object),
    (ListSerializer, _list),
    (BaseSerializer, _object),
)


def _saying(field: Field, message: Words) -> Any:
    """The message with what the field takes in it, put together when it is shown, in the reader's language."""
    return lazy(lambda: str(message) % {"wanted": wanted(field)}, str)()


def _for_format(field: Field, message: Words) -> Any:
    """The same for DRF, which takes braces for places to fill."""
    return lazy(lambda: str(_saying(field, message)).replace("{", "{{").replace("}", "}}"), str)()


MISSING: Final = gettext_lazy("This is missing; send %(wanted)s.")
NULL: Final = gettext_lazy("This must not be null; send %(wanted)s.")
BLANK: Final = gettext_lazy("This is empty; send %(wanted)s.")
OTHER: Final = gettext_lazy("This is of another kind than expected; send %(wanted)s.")
UNKNOWN: Final = gettext_lazy("This is not one of the known values; send %(wanted)s.")
#: By code of DRF's messages.
_MESSAGES: Final[dict[str, Words]] = {
    "required": MISSING,
    "null": NULL,
    "blank": BLANK,
    "empty": BLANK,
    "invalid": OTHER,
    "not_a_list": OTHER,
    "not_a_dict": OTHER,
    "max_string_length": OTHER,
    "max_digits": OTHER,
    "max_decimal_places": OTHER,
    "max_whole_digits": OTHER,
    "invalid_choice": UNKNOWN,
}
#: By kind of validator, for texts and for what has entries; Django fills the bound in.
_LENGTHS: Final[dict[type, tuple[Words, Words]]] = {
    core.MaxLengthValidator: (
        gettext_lazy("This has more than %(limit_value)d signs; shorten it."),
        gettext_lazy("There are more than %(limit_value)d entries; leave some out."),
    ),
    core.MinLengthValidator: (
        gettext_lazy("This has fewer than %(limit_value)d signs; send more."),
        gettext_lazy("There are too few entries; send at least %(limit_value)d."),
    ),
}
_BOUNDS: Final[dict[type, Words]] = {
    core.MaxValueValidator: gettext_lazy("This is too large; send at most %(limit_value)s."),
    core.MinValueValidator: gettext_lazy("This is too small; send at least %(limit_value)s."),
}
#: Codes that are called as the attribute of the field that holds the bound.
LIMITS: Final = frozenset({"max_length", "min_length", "max_value", "min_value", "max_digits"})


def reword(field: Any) -> None:
    """Let a field refuse in words that say what it takes; what is said of a field's own rules is left."""
    own = set(getattr(field, "_kwargs", {}).get("error_messages", ()))
    for kind in type(field).__mro__:
        if not kind.__module__.startswith("rest_framework"):
            own |= set(vars(kind).get("default_error_messages", ()))
    for code, message in _MESSAGES.items():
        if code in field.error_messages and code not in own:
            field.error_messages[code] = _for_format(field, message)
    # Copies: a model's own validators are shared with its forms.
    field.validators = [_reworded(field, copy(validator)) for validator in field.validators]
    child = getattr(field, "child", None)
    if child is not None and not isinstance(child, BaseSerializer):
        reword(child)


def _reworded(field: Any, validator: Any) -> Any:
    kind = type(validator)
    if kind in _LENGTHS:
        validator.message = _LENGTHS[kind][hasattr(field, "child")]
    elif kind in _BOUNDS:
        validator.message = _BOUNDS[kind]
    elif isinstance(validator, core.URLValidator | core.EmailValidator):
        validator.message = _saying(field, OTHER)
    return validator


def mistyped(field: Any, value: Any) -> Any:
    """DRF's detail of what has another JSON type than the field, or None: it would be turned into it silently."""
    if value is None or field.read_only:
        return None
    if not _fits(field, value):
        return [ErrorDetail(str(_saying(field, OTHER)), "type")]
    child = getattr(field, "child", None)
    if child is None or isinstance(child, BaseSerializer):
        return None
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {name: found for name, one in entries if (found := mistyped(child, one)) is not None} or None


def _fits(field: Any, value: Any) -> bool:
    if isinstance(field, fields.DateTimeField):
        return isinstance(value, str) and value.isascii() and _ZONED.search(value) is not None
    if isinstance(field, fields.BooleanField):
        return isinstance(value, bool)
    if isinstance(field, fields.DecimalField) and isinstance(value, str):
        return value.isascii()
    if isinstance(field, _NUMBERS):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(field, fields.DateField | fields.TimeField):
        return isinstance(value, str) and value.isascii()
    return not isinstance(field, fields.CharField | fields.UUIDField) or isinstance(value, str)


_NUMBERS: Final = (fields.IntegerField, fields.FloatField, fields.DecimalField)


def with_limits(reader: Any, faults: list[ItemError]) -> list[ItemError]:
    """The faults of a reader, each with the bound that was passed, where one was."""
    return [msgspec.structs.replace(fault, limit=_limit_at(reader, fault.pointer, fault.code)) for fault in faults]


def _limit_at(reader: Any, pointer: str, code: str) -> int | float | None:
    field = reader
    for step in pointer.split("/")[1:]:
        field = getattr(field, "fields", {}).get(step) or getattr(field, "child", None)
    found = getattr(field, code, None) if code in LIMITS else None
    return found if isinstance(found, int | float) else None
