"""Form fields made from a collector's structs, so that a new kind of source needs no form of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from channels.admin.struct_fields import LinesField, SecretInput
from metrics.collectors.base import Collector

LABELS: Final[dict[str, Promise]] = {
    "url": gettext_lazy("Address"),
    "headers": gettext_lazy("Headers"),
    "queries": gettext_lazy("Queries"),
    "mode": gettext_lazy("Mode"),
    "step": gettext_lazy("Step in seconds"),
    "history_hours": gettext_lazy("Hours of past at first"),
    "metrics": gettext_lazy("Metrics to keep"),
    "items": gettext_lazy("Objects (JMESPath)"),
    "values": gettext_lazy("Values (JMESPath)"),
    "labels": gettext_lazy("Labels (JMESPath)"),
    "time": gettext_lazy("Time (JMESPath)"),
    "method": gettext_lazy("Method"),
    "body": gettext_lazy("Body"),
    "host": gettext_lazy("Host"),
    "port": gettext_lazy("Port"),
    "database": gettext_lazy("Database"),
    "query": gettext_lazy("Query"),
    "metric": gettext_lazy("Name of the metric"),
    "statement_timeout": gettext_lazy("Time limit of the query in seconds"),
    "encryption": gettext_lazy("Encryption"),
    "token": gettext_lazy("Token"),
    "user": gettext_lazy("User"),
    "password": gettext_lazy("Password"),
}
HINTS: Final[dict[tuple[str, str], Promise]] = {
    ("prometheus", "url"): gettext_lazy("Of the Prometheus, without /api/v1."),
    ("prometheus", "queries"): gettext_lazy("name = PromQL, one a line; * = keeps the names that the series have."),
    ("prometheus", "mode"): gettext_lazy("instant: the values now; range: every step since the last look."),
    ("exposition", "url"): gettext_lazy("Of the page with the metrics, usually ending in /metrics."),
    ("exposition", "metrics"): gettext_lazy("Names, one a line, with * for any text; empty keeps all."),
    ("json", "items"): gettext_lazy("Finds the list of objects to read, such as data.countries[]; @ is all of it."),
    ("json", "values"): gettext_lazy("metric = JMESPath within an object, one a line, such as streams = counts.total."),
    ("json", "labels"): gettext_lazy("label = JMESPath within an object, one a line."),
    ("json", "time"): gettext_lazy("Within an object; ISO 8601 or seconds since 1970. Empty: now."),
    ("sql", "query"): gettext_lazy(
        "One SELECT. Numeric columns are values, text columns labels, a column named time says when."
    ),
    ("sql", "metric"): gettext_lazy("Empty: the names of the columns."),
    ("sql", "user"): gettext_lazy("A role that can only read; others are refused."),
}
LONG: Final = frozenset({"query", "body"})
MAX_TEXT: Final = 20_000


class PairsField(forms.CharField):
    """A table of texts, one `name = text` a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"})

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_TEXT, **{"required": False, **options})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{name} = {text}" for name, text in value.items()) if isinstance(value, Mapping) else value

    def to_python(self, value: Any) -> Any:
        """Return the pairs in their order; a line without a sign, or a name twice, is told."""
        pairs: dict[str, str] = {}
        for number, line in enumerate((super().to_python(value) or "").splitlines(), start=1):
            name, sign, text = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not (name and sign and text):
                raise ValidationError(_("Line %(number)d: write name = text.") % {"number": number})
            if name in pairs:
                raise ValidationError(_("Line %(number)d: this name is there already.") % {"number": number})
            pairs[name] = text
        return pairs

    def run_validators(self, value: Any) -> None:
        super().run_validators(self.prepare_value(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or {}))
        except ValidationError:
            return True


def field_name(kind: str, part: str, name: str) -> str:
    """Return the form's name for one field of one kind; `part` is settings or credentials."""
    return f"{part}__{kind}__{name}"


def struct_fields(collector: Collector[Any, Any], part: str, *, is_new: bool) -> dict[str, forms.Field]:
    """Return form fields for a collector's Settings or Credentials, by their name in the form."""
    struct = collector.Settings if part == "settings" else collector.Credentials
    hints = get_type_hints(struct)
    made: dict[str, forms.Field] = {}
    for info in msgspec.structs.fields(struct):
        is_secret = part == "credentials" and info.name != "user"
        field = _field(info.name, hints[info.name], is_secret=is_secret)
        # Required is judged by the collector: only the fields of the chosen kind count.
        field.required = False
        field.label = capfirst(str(LABELS.get(info.name, info.name.replace("_", " "))))
        field.help_text = str(HINTS.get((collector.kind, info.name), ""))
        if part == "credentials" and not is_new:
            field.widget.attrs["placeholder"] = _("kept as it is")
        if is_new and info.default is not msgspec.NODEFAULT and part == "settings":
            field.initial = info.default
        made[field_name(collector.kind, part, info.name)] = field
    return made


def _field(name: str, hint: Any, *, is_secret: bool) -> forms.Field:
    if get_origin(hint) is Literal:
        return forms.ChoiceField(choices=[(one, one) for one in get_args(hint)], widget=UnfoldAdminSelectWidget())
    if get_origin(hint) is dict:
        return PairsField()
    if get_origin(hint) in (list, tuple):
        return LinesField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), max_length=MAX_TEXT)
    if hint is bool:
        return forms.BooleanField(widget=UnfoldBooleanSwitchWidget())
    if hint is int:
        return forms.IntegerField(widget=UnfoldAdminIntegerFieldWidget())
    if is_secret:
        return forms.CharField(widget=SecretInput(), max_length=4_000, strip=True)
    if name in LONG:
        return forms.CharField(
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 6, "spellcheck": "false"}), max_length=MAX_TEXT
        )
    return forms.CharField(widget=UnfoldAdminTextInputWidget(), max_length=4_000)
