"""The form field for a schedule's layers: rows of people, turns and times of day over the lines one may also type."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from alerting.oncall.layers import LayerError, LayerRow
from alerting.oncall.writing import from_text, to_text
from tenants.faults import InputRefused
from tenants.models import Membership, User
from tenants.strict_json import loads

WIDGET: Final = "alerting/widgets/layers.html"


class LayersWidget(forms.Textarea):
    """A card for each layer; without JavaScript the lines themselves."""

    template_name = WIDGET
    people: Mapping[UUID, str] = {}
    schedule: UUID | None = None

    class Media:
        js = ("alerting/layers.js",)

    def format_value(self, value: Any) -> str:
        """Return lines for stored layers; what somebody typed comes back as it was typed."""
        return to_text(value, self.people) if isinstance(value, list) else str(value or "")

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = _as_rows(value)
        named = {known for row in rows or () for person in row["people"] if (known := _as_id(person)) is not None}
        gone = User.objects.filter(pk__in=named - set(self.people))
        context["editor"] = {
            "rows": rows,
            "people": [{"id": str(person), "name": known} for person, known in self.people.items()],
            "gone": {str(user.pk): user.username for user in gone},
        }
        context["schedule"] = self.schedule
        context["days"] = list(WEEKDAYS_ABBR.items())
        return context


def _as_id(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def _as_rows(value: Any) -> Any:
    """What the cards begin with; None for lines, which stay text."""
    if not isinstance(value, list):
        try:
            value = _read_json(value) if str(value or "[]").lstrip().startswith("[") else None
        except ValidationError:
            return None
    try:
        return None if value is None else msgspec.to_builtins(msgspec.convert(value, list[LayerRow]))
    except msgspec.ValidationError:
        return value if _looks_like_rows(value) else None


def _looks_like_rows(value: Any) -> bool:
    """Cards that somebody has not filled in yet are still cards."""
    return isinstance(value, list) and all(
        isinstance(row, dict) and isinstance(row.get("people"), list) for row in value
    )


def _read_json(value: Any) -> Any:
    try:
        return loads(str(value or "[]").encode("utf-8", "surrogatepass"))
    except InputRefused as error:
        raise ValidationError(error.detail, code="layers") from error


class LayersField(forms.Field):
    """Layers as JSON from the cards, or as lines such as `Day; weekly from 2026-06-01 09:00; ann, bob`."""

    widget = LayersWidget

    def know(self, people: Mapping[UUID, str], schedule: UUID | None = None) -> None:
        """Say who can be named, the members by their user names, and whose overrides a preview shows."""
        self.people = people
        self.widget.people, self.widget.schedule = people, schedule

    def to_python(self, value: Any) -> list[Any]:
        """Return the stored form; say which layer or line is wrong and why."""
        try:
            if str(value or "").lstrip().startswith("["):
                return from_cards(_read_json(value))
            return from_text(str(value or ""), self.people)
        except LayerError as error:
            raise ValidationError(str(error), code="layers") from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or []))
        except ValidationError:
            return True


def from_cards(rows: Any) -> list[Any]:
    """Layers in their stored form; raises LayerError that says what is missing on which card."""
    found = []
    for number, row in enumerate(rows if isinstance(rows, list) else [], 1):
        fault = _missing(row) if isinstance(row, dict) else _("This is no layer.")
        if not fault:
            try:
                found.append(msgspec.convert(row, LayerRow))
            except msgspec.ValidationError as error:
                fault = str(error)
        if fault:
            raise LayerError(_("Layer %(number)d: %(fault)s") % {"number": number, "fault": fault})
    plain: list[Any] = msgspec.to_builtins(found)
    return plain


def _missing(row: dict[str, Any]) -> str:
    if not str(row.get("name") or "").strip():
        return _("Give it a name.")
    if not row.get("people"):
        return _("Add at least one person.")
    if not str(row.get("starts_at") or "").partition("T")[0]:
        return _("Say on which day the first turn begins.")
    if not str(row.get("starts_at") or "").partition("T")[2]:
        return _("Say at which time the turns change hands.")
    if not isinstance(row.get("every"), int) or isinstance(row["every"], bool):
        return _("Say how long a turn lasts.")
    spans = row.get("restrictions")
    if isinstance(spans, list) and any(
        not (one.get("start") and one.get("end")) for one in spans if isinstance(one, dict)
    ):
        return _("Give each time of day a beginning and an end.")
    return ""


def people_of_tenant() -> dict[UUID, str]:
    """The members that can be put on call, by their user names."""
    members = Membership._default_manager.filter(user__is_active=True).order_by("user__username")
    return dict(members.values_list("user_id", "user__username"))
