"""Reads one alert field by field and says of each fault where it is, which limit it passed and what to do.

This is the rule; the fast decoders agree with it on good alerts and hand everything else over to it.
"""

import math
from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext as _

from alerting.decoding import limits, names
from alerting.decoding.alert import Flag
from alerting.decoding.cleaning import clean_annotations, clean_labels
from alerting.decoding.times import Window
from alerting.decoding.urls import is_link
from tenants.faults import ItemError, pointer_to, shown

#: The same reader of times as the fast decoders use, so that both take the same spellings.
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class ItemReader:
    """Collects the faults of one item while its fields are read; a faulty field reads as its neutral value."""

    def __init__(self, index: int | None, pointer: str, window: Window) -> None:
        self.index = index
        self.pointer = pointer
        self.window = window
        self.faults: list[ItemError] = []
        self.flags = Flag(0)

    def fault(self, steps: tuple[str, ...], code: str, message: str, limit: int | str | None = None) -> None:
        """Note a fault at the place the steps lead to."""
        if len(self.faults) < limits.MAX_FAULTS_OF_ITEM:
            self.faults.append(ItemError(self.index, pointer_to(self.pointer, *steps), code, message, limit))

    def labels(self, value: Any) -> dict[str, str]:
        """Read the labels: at least one, and all of them clean."""
        labels = self._names_and_texts(value, "labels", limits.MAX_LABELS, limits.MAX_LABEL_VALUE)
        labels, changed = clean_labels(labels)
        if changed:
            self.flags |= Flag.TEXT_CLEANED
        if not labels and not self.faults:
            self.fault(("labels",), "empty", _("labels is empty; give at least one label with a value."), 1)
        return labels

    def annotations(self, value: Any) -> dict[str, str]:
        """Read the annotations; there may be none."""
        if value is None:
            return {}
        read = self._names_and_texts(value, "annotations", limits.MAX_ANNOTATIONS, limits.MAX_ANNOTATION_VALUE)
        annotations, changed = clean_annotations(read)
        if changed:
            self.flags |= Flag.TEXT_CLEANED
        return annotations

    def _names_and_texts(self, value: Any, field: str, most: int, longest: int) -> dict[str, str]:
        if not isinstance(value, dict):
            message = _("%(field)s must be an object of names and texts.")
            self.fault((field,), "type", message % {"field": field})
            return {}
        if len(value) > most:
            message = _("%(field)s has %(count)d entries; the limit is %(limit)d. Send fewer.")
            self.fault((field,), "too_many", message % {"field": field, "count": len(value), "limit": most}, most)
            return {}
        return {name: text for name, text in value.items() if self._is_pair(field, name, text, longest)}

    def _is_pair(self, field: str, name: str, text: Any, longest: int) -> bool:
        if not names.is_name(name):
            message = _(
                "“%(name)s” in %(field)s is no name: it must match %(pattern)s and have at most %(limit)d signs."
            )
            values = {"name": shown(name), "field": field, "pattern": names.PATTERN, "limit": limits.MAX_LABEL_NAME}
            self.fault((field, name), "bad_name", message % values, limits.MAX_LABEL_NAME)
            return False
        return self.text((field, name), text, longest) is not None

    def text(self, steps: tuple[str, ...], value: Any, longest: int) -> str | None:
        """Read a text of bounded length."""
        field = ".".join(steps)
        if not isinstance(value, str):
            self.fault(steps, "type", _("%(field)s must be a text.") % {"field": shown(field)})
            return None
        if len(value) > longest:
            message = _("%(field)s has %(count)d signs; the limit is %(limit)d. Shorten it.")
            values = {"field": shown(field), "count": len(value), "limit": longest}
            self.fault(steps, "too_long", message % values, longest)
            return None
        return value

    def time(self, field: str, value: Any) -> datetime | None:
        """Read a time that names its zone."""
        if value is None:
            return None
        try:
            return msgspec.convert(value, Time)
        except (msgspec.ValidationError, OverflowError):
            message = _("%(field)s must be an RFC 3339 time with a zone, such as 2026-01-31T08:00:00Z.")
            self.fault((field,), "bad_time", message % {"field": field})
            return None

    def span(
        self, starts: tuple[str, datetime | None], ends: tuple[str, datetime | None], *, is_firing: bool
    ) -> tuple[datetime | None, datetime | None]:
        """Check that the end does not come before the start, and move times far off to the window's edges."""
        (start_field, start), (end_field, end) = starts, ends
        if start is not None and end is not None and end < start:
            message = _("%(end)s lies before %(start)s; swap them or leave %(end)s out.")
            self.fault((end_field,), "ends_before_start", message % {"end": end_field, "start": start_field})
        believed = self.window.believe(start), self.window.believe(end, is_promise=is_firing)
        if believed != (start, end):
            self.flags |= Flag.TIME_CLAMPED
        return believed

    def link(self, field: str, value: Any) -> str | None:
        """Read a web address."""
        if value is None:
            return None
        url = self.text((field,), value, limits.MAX_URL)
        if url is not None and not is_link(url):
            message = _("%(field)s must be an http or https address without blanks or quotes.")
            self.fault((field,), "bad_url", message % {"field": field})
        return url

    def number(self, steps: tuple[str, ...], value: Any) -> float:
        """Read a finite number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fault(steps, "type", _("%(field)s must be a finite number.") % {"field": ".".join(steps)})
            return 0.0
        return float(value)

    def choice(self, field: str, value: Any, allowed: tuple[str, ...]) -> str:
        """Read one of a few words."""
        if value not in allowed:
            message = _("%(field)s must be one of: %(allowed)s.")
            self.fault((field,), "unknown_value", message % {"field": field, "allowed": ", ".join(allowed)})
        return str(value)

    def refuse_others(self, value: dict[str, Any], known: frozenset[str], steps: tuple[str, ...] = ()) -> None:
        """Refuse fields nobody reads: a typo must not pass silently."""
        for name in value.keys() - known:
            message = _("“%(name)s” is no field here; known are: %(known)s.")
            values = {"name": shown(name), "known": ", ".join(sorted(known))}
            self.fault((*steps, name), "unknown_field", message % values)
