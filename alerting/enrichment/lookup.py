"""Enrichment from a table the tenant keeps: some labels are the key, others come out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Self

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerting.enrichment.base import (
    NOTHING,
    Changes,
    Step,
    StepError,
    additions,
    check_fields,
    read_annotations,
    read_flag,
    read_labels,
    read_name,
)

MAX_KEYS: Final = 4
MAX_ROWS: Final = 5_000

_Row = tuple[dict[str, str], dict[str, str]]


class Lookup(Step):
    """Looks the values of the key labels up in a table; the row gives labels and annotations."""

    kind = "lookup"
    title: ClassVar[Promise] = gettext_lazy("Look up in a table")
    help: ClassVar[Promise] = gettext_lazy(
        "Finds the row whose key equals the values of the key labels and adds its labels and annotations."
    )
    example: ClassVar[dict[str, Any]] = {
        "keys": ["service"],
        "rows": [{"key": ["checkout"], "labels": {"team": "payments"}, "annotations": {"tier": "1"}}],
        "overwrite": False,
    }

    def __init__(self, keys: tuple[str, ...], rows: dict[tuple[str, ...], _Row], *, overwrite: bool) -> None:
        self._keys = keys
        self._rows = rows
        self._overwrite = overwrite

    @classmethod
    def compile(cls, settings: Mapping[str, Any], time_zone: str) -> Self:
        settings = check_fields(settings, cls.example)
        keys = settings.get("keys")
        if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS or len(set(map(str, keys))) < len(keys):
            raise StepError(_("Name 1 to %(limit)d different labels as the key.") % {"limit": MAX_KEYS}, "keys")
        names = tuple(read_name(key, f"keys/{number}") for number, key in enumerate(keys))
        rows = settings.get("rows")
        if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ROWS:
            raise StepError(_("Give a list of 1 to %(limit)d rows.") % {"limit": MAX_ROWS}, "rows")
        table: dict[tuple[str, ...], _Row] = {}
        for number, row in enumerate(rows):
            key, found = _read_row(row, len(names), f"rows/{number}")
            if key in table:
                raise StepError(_("An earlier row has the same key."), f"rows/{number}/key")
            table[key] = found
        return cls(names, table, overwrite=read_flag(settings, "overwrite"))

    def apply(self, labels: Mapping[str, str], annotations: Mapping[str, str], now: datetime) -> Changes:
        row = self._rows.get(tuple([labels.get(name, "") for name in self._keys]))
        if row is None:
            return NOTHING
        return additions(labels, annotations, *row, overwrite=self._overwrite)


def _read_row(row: object, width: int, field: str) -> tuple[tuple[str, ...], _Row]:
    try:
        given = check_fields(row, ("key", "labels", "annotations"))
        found = read_labels(given), read_annotations(given)
    except StepError as refused:
        raise StepError(refused.message, f"{field}/{refused.field}".rstrip("/")) from refused
    key = given.get("key")
    parts = [key] if isinstance(key, str) else key
    if not isinstance(parts, list) or len(parts) != width or not all(isinstance(part, str) for part in parts):
        raise StepError(_("The key is a list of %(width)d texts.") % {"width": width}, f"{field}/key")
    return tuple(parts), found
