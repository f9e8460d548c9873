"""Form fields made from the structs of a kind, so that a new kind of channel or source needs no form of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from channels.kinds import Kind

# Texts that want more than one line; who logs in is no secret.
LONG: Final = frozenset({"query", "body"})
SHOWN: Final = frozenset({"user"})
MAX_TEXT: Final = 20_000


@dataclass(frozen=True)
class Words:
    """What fields are called, by their names, and what helps to fill them, by kind and name."""

    labels: Mapping[str, Promise]
    hints: Mapping[tuple[str, str], Promise]


class LinesField(forms.CharField):
    """A list of texts, one a line or parted by commas."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """Return the lines that hold something."""
        return [line for line in re.split(r"[\s,;]+", super().to_python(value) or "") if line]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != list(initial or []))


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


class SecretInput(UnfoldAdminTextInputWidget):
    """An input that never shows what is stored, and whose value browsers do not keep."""

    input_type = "password"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "new-password", "spellcheck": "false", **(attrs or {})})


def field_name(kind: str, part: str, name: str) -> str:
    """Return the form's name for one field of one kind; `part` is settings or credentials."""
    return f"{part}__{kind}__{name}"


def field_names(one: Kind, part: str) -> list[str]:
    """Return the form's names for all fields of one part of one kind."""
    return [field_name(one.kind, part, info.name) for info in msgspec.structs.fields(_struct(one, part))]


def struct_fields(one: Kind, part: str, words: Words, *, is_new: bool) -> dict[str, forms.Field]:
    """Return form fields for the Settings or Credentials of a kind, by their name in the form."""
    struct = _struct(one, part)
    hints = get_type_hints(struct)
    made: dict[str, forms.Field] = {}
    for info in msgspec.structs.fields(struct):
        is_secret = part == "credentials" and info.name not in SHOWN
        field = _field(info.name, hints[info.name], is_secret=is_secret)
        # Required is judged by the kind: only the fields of the chosen one count.
        field.required = False
        field.label = capfirst(str(words.labels.get(info.name, info.name.replace("_", " "))))
        field.help_text = str(words.hints.get((one.kind, info.name), ""))
        if part == "credentials" and not is_new:
            field.widget.attrs["placeholder"] = _("kept as it is")
        if info.default is not msgspec.NODEFAULT and part == "settings":
            # Also of a row that says nothing of it, or saving its page would switch off what is on unless said.
            field.initial = info.default
        made[field_name(one.kind, part, info.name)] = field
    return made


def _struct(one: Kind, part: str) -> type[Any]:
    return one.Settings if part == "settings" else one.Credentials


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
