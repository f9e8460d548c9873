"""Form fields for what people configure: matchers, durations, lists of labels."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from alerting.matchers import MatcherError, from_json, parse, to_json
from alerting.matchers.matcher import OPERATORS
from tenants.admin.display import UNITS, duration_text
from tenants.faults import InputRefused
from tenants.strict_json import dumps, loads

_DURATION: Final = re.compile(r"(\d{1,6})\s*([dhms])")
_SECONDS: Final = dict(UNITS)
_ROW: Final = re.compile(r"matchers/(\d+)(?:/(\w+))?")
MAX_DURATION: Final = timedelta(days=366)


class MatcherWidget(forms.Textarea):
    """Rows of label, operator and value; without JavaScript the text itself."""

    template_name = "alerting/widgets/matchers.html"

    def format_value(self, value: Any) -> str:
        """Return JSON for stored matchers; what could not be read is shown as it was typed."""
        if isinstance(value, list | tuple):
            return dumps(list(value)).decode()
        return "[]" if value in (None, "") else str(value)

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["operators"] = OPERATORS
        return context


class MatchersField(forms.Field):
    """Matchers as JSON from the builder, or as pasted text such as `{team="a", env=~"prod|stage"}`."""

    widget = MatcherWidget

    def to_python(self, value: Any) -> list[dict[str, str]]:
        """Return the stored form; say which row is wrong and why."""
        if value in (None, "", "[]"):
            return []
        try:
            found = from_json(self._json(value)) if str(value).lstrip().startswith("[") else parse(str(value))
        except MatcherError as error:
            raise ValidationError(_in_words(error), code="matchers") from error
        return to_json(found)

    def _json(self, value: Any) -> Any:
        try:
            return loads(str(value).encode("utf-8", "surrogatepass"))
        except InputRefused as error:
            raise ValidationError(error.detail, code="matchers") from error

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise ValidationError(_("Add at least one matcher."), code="required")

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or []))
        except ValidationError:
            return True


def _in_words(error: MatcherError) -> str:
    row = _ROW.match(error.field or "")
    if row is None:
        return error.message
    parts = {"name": _("label"), "op": _("operator"), "value": _("value")}
    where = {"row": int(row[1]) + 1, "part": parts.get(row[2] or "", ""), "message": error.message}
    return (_("Row %(row)d, %(part)s: %(message)s") if where["part"] else _("Row %(row)d: %(message)s")) % where


class DurationWidget(UnfoldAdminTextInputWidget):
    """Shows a duration as people write it."""

    def format_value(self, value: Any) -> Any:
        return duration_text(value) if isinstance(value, timedelta) else value


class DurationTextField(forms.Field):
    """A duration such as `30s`, `5m` or `1d 12h`."""

    widget = DurationWidget
    default_error_messages = {"invalid": gettext_lazy("Write a duration such as 30s, 5m, 4h or 1d 12h.")}

    def __init__(self, **options: Any) -> None:
        options.pop("encoder", None)
        options.setdefault("help_text", gettext_lazy("Such as 30s, 5m, 4h or 1d 12h."))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return duration_text(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> timedelta | None:
        """Return the duration; empty is None."""
        text = str(value or "").strip().lower()
        if not text:
            return None
        if _DURATION.sub("", text).strip():
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        total = sum(int(count) * _SECONDS[unit] for count, unit in _DURATION.findall(text))
        if total > MAX_DURATION.total_seconds():
            raise ValidationError(_("The longest duration is %(days)d days.") % {"days": MAX_DURATION.days})
        return timedelta(seconds=total)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class LabelListField(forms.Field):
    """Names of labels, parted by commas or blanks."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, **options: Any) -> None:
        for name in ("base_field", "max_length"):
            options.pop(name, None)
        options.setdefault("help_text", gettext_lazy("Names of labels, parted by commas."))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, Sequence) and not isinstance(value, str) else value

    def to_python(self, value: Any) -> list[str]:
        """Return each name once, in order."""
        names = [name for name in re.split(r"[,\s]+", str(value or "")) if name]
        if any(len(name) > 128 for name in names):
            raise ValidationError(_("A label name has at most %(limit)d characters.") % {"limit": 128})
        if len(names) > 64:
            raise ValidationError(_("At most %(limit)d labels.") % {"limit": 64})
        return list(dict.fromkeys(names))

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise ValidationError(_("Name at least one label."), code="required")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != list(initial or []))
