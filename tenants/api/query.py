"""Reads query strings: only known parameters, each with a value of its kind, else a 400 that says which are allowed."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

import msgspec
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from rest_framework.request import Request

from tenants.api.problems import Problem
from tenants.faults import ItemError, shown

Reader = Callable[[str], Any]
_Time = Annotated[datetime, msgspec.Meta(tz=True)]


def read_query(
    request: Request | HttpRequest, allowed: Mapping[str, Reader], repeatable: Collection[str] = ()
) -> dict[str, Any]:
    """The parameters of a request, read; those in `repeatable` as lists. Raises Problem naming every faulty one."""
    return read_parameters(request.GET, allowed, repeatable)


def read_parameters(
    given: QueryDict,
    allowed: Mapping[str, Reader],
    repeatable: Collection[str] = (),
    *,
    are_others_refused: bool = True,
) -> dict[str, Any]:
    """Like `read_query`; one part of a view may leave the others' parameters to them."""
    read: dict[str, Any] = {}
    faults: list[ItemError] = []
    for name, values in given.lists():
        if name not in allowed:
            if are_others_refused:
                faults.append(_fault(name, "unknown_parameter", _unknown(name, allowed)))
        elif len(values) > 1 and name not in repeatable:
            message = _("%(name)s: send this parameter once.") % {"name": name}
            faults.append(_fault(name, "repeated_parameter", message))
        else:
            _read_values(name, values, allowed[name], name in repeatable, read, faults)
    if faults:
        raise Problem("bad_query", faults[0].message, errors=faults)
    return read


def _read_values(
    name: str, values: list[str], reader: Reader, is_list: bool, read: dict[str, Any], faults: list[ItemError]
) -> None:
    try:
        found = [reader(value) for value in values]
    except ValueError as error:
        faults.append(_fault(name, "bad_parameter", f"{name}: {error}"))
        return
    read[name] = found if is_list else found[0]


def _fault(name: str, code: str, message: str) -> ItemError:
    return ItemError(None, f"?{shown(name)}", code, message)


def _unknown(name: str, allowed: Mapping[str, Reader]) -> str:
    if not allowed:
        return _("“%(name)s” is no parameter here; there are none.") % {"name": shown(name)}
    values = {"name": shown(name), "allowed": ", ".join(sorted(allowed))}
    return _("“%(name)s” is no parameter here; allowed are: %(allowed)s.") % values


def integer(lowest: int, highest: int) -> Reader:
    """A whole number within bounds."""

    def read(value: str) -> int:
        if value.isascii() and value.lstrip("-").isdigit() and len(value) <= 19 and lowest <= int(value) <= highest:
            return int(value)
        message = _("must be a whole number from %(lowest)d to %(highest)d.")
        raise ValueError(message % {"lowest": lowest, "highest": highest})

    return read


def one_of(*words: str) -> Reader:
    """One of a few words."""

    def read(value: str) -> str:
        if value in words:
            return value
        raise ValueError(_("must be one of: %(allowed)s.") % {"allowed": ", ".join(words)})

    return read


def text(longest: int) -> Reader:
    """A text of bounded length that is not empty."""

    def read(value: str) -> str:
        if 0 < len(value) <= longest:
            return value
        raise ValueError(_("must have 1 to %(limit)d signs.") % {"limit": longest})

    return read


def moment(value: str) -> datetime:
    """An RFC 3339 time with its zone, in UTC."""
    try:
        # A plus sign that was not escaped has become a blank on the way.
        return msgspec.convert(value.replace(" ", "+"), _Time).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError) as error:
        message = _("must be an RFC 3339 time with a zone, such as 2026-01-31T08:00:00Z.")
        raise ValueError(message) from error


def identifier(value: str) -> UUID:
    """A UUID in its usual spelling."""
    try:
        found = UUID(value)
    except ValueError as error:
        raise ValueError(_("must be a UUID.")) from error
    if str(found) != value.lower():
        raise ValueError(_("must be a UUID."))
    return found


def flag(value: str) -> bool:
    """True or false, in words."""
    if value in {"true", "false"}:
        return value == "true"
    raise ValueError(_("must be true or false."))


def check_encoding(request: HttpRequest) -> None:
    """Refuse a query string that is not percent-encoded UTF-8 or holds a NUL."""
    raw = request.META.get("QUERY_STRING", "")
    if not raw:
        return
    decoded = unquote_to_bytes(raw.encode("latin-1", "replace"))
    if b"\0" in decoded:
        raise Problem("bad_query", _("The query string holds a NUL character; remove it."))
    try:
        decoded.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem("bad_query", _("The query string must be percent-encoded UTF-8.")) from error
