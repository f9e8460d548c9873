"""The form field for a policy's levels: rows of plain controls, no script needed, each with its own fault."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alerting.admin.fields import DurationTextField
from alerting.escalation.plan import MAX_LEVELS, MAX_TARGETS, MAX_WAIT, Level, PlanError, Target, read_levels
from tenants.admin.display import duration_text

#: Empty rows for people without JavaScript: of a new level, and of one more target in each level.
SPARE_LEVELS, SPARE_TARGETS = 2, 1
#: The number in the names of the blank level that the script copies; it gives each copy its own.
MAX_BLANK = 999
IMPORTANCES: Final = ("urgent", "normal")
_CONTROL: Final = re.compile(r"(\d{1,3})-(order|wait|importance|remove|target-(\d{1,3})|via-(\d{1,3}))")

#: Rows to choose from by kind of target, each with its name; `via` by kind of channel.
Choices = Mapping[str, Mapping[UUID, str]]


@dataclass
class TargetRow:
    """One target as the form holds it: `kind:id` and a kind of channel."""

    target: str = ""
    via: str = ""
    faults: dict[str, str] = field(default_factory=dict)


@dataclass
class LevelRow:
    """One level as the form holds it, with what is wrong by control."""

    wait: str = ""
    importance: str = IMPORTANCES[0]
    targets: list[TargetRow] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Say whether nobody has written anything here."""
        return not self.wait.strip() and not any(one.target for one in self.targets)


class LevelsWidget(forms.Widget):
    """A card for each level; controls are named `<name>-<level>-<control>`."""

    template_name = "alerting/widgets/levels.html"
    choices: Choices = {}
    ways: Iterable[tuple[str, Any]] = ()
    #: The rows that the field found faults with; the form reads its data anew each time it is drawn.
    judged: list[LevelRow] | None = None

    class Media:
        js = ("alerting/levels.js",)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[LevelRow]:
        """Return the rows that were sent, in the order that was wished; removed and empty ones are left out."""
        found: dict[int, dict[str, str]] = {}
        for key in data:
            part = _CONTROL.fullmatch(key.removeprefix(f"{name}-")) if key.startswith(f"{name}-") else None
            if part is not None:
                found.setdefault(int(part[1]), {})[part[2]] = str(data[key])
        kept = [(number, sent) for number, sent in found.items() if not sent.get("remove")]
        kept.sort(key=lambda one: _place(one[1].get("order", ""), one[0]))
        rows = [_row(sent) for _number, sent in kept]
        return [row for row in rows if not row.is_empty]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not any(key.startswith(f"{name}-") for key in data)

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = rows_of(value) if self.judged is None else self.judged
        spare = [LevelRow()] * max(1, min(SPARE_LEVELS, MAX_LEVELS - len(rows)))
        shown = [*((row, False) for row in rows), *((row, True) for row in spare)]
        context["levels"] = [self._shown(name, number, *one) for number, one in enumerate(shown)]
        context["blank"] = self._shown(name, MAX_BLANK, LevelRow(), True)
        context["kinds"] = self._kinds()
        context["ways"] = list(self.ways)
        return context

    def _kinds(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        titles = {"schedule": _("on call by schedule"), "member": _("people"), "channel": _("channels")}
        return [
            (kind, titles[kind], [(f"{kind}:{key}", name) for key, name in known.items()])
            for kind, known in self.choices.items()
        ]

    def _shown(self, name: str, number: int, row: LevelRow, spare: bool) -> dict[str, Any]:
        known = {f"{kind}:{key}" for kind, names in self.choices.items() for key in names}
        targets = [*((one, False) for one in row.targets), *[(TargetRow(), True)] * SPARE_TARGETS]
        lines = [
            {"row": one, "place": place, "spare": is_spare, "is_gone": bool(one.target) and one.target not in known}
            for place, (one, is_spare) in enumerate(targets)
        ]
        return {"prefix": f"{name}-{number}", "number": number + 1, "row": row, "spare": spare, "targets": lines}


def _place(order: str, number: int) -> tuple[int, int, int]:
    """Where a level goes: at the place it was given, pushing whoever was there out of the way it came."""
    own = number + 1
    place = int(order) if order.strip().isdecimal() and len(order) < 6 else own
    return (place, (place > own) - (place < own), number)


def _row(sent: Mapping[str, str]) -> LevelRow:
    numbers = sorted(int(key.partition("-")[2]) for key in sent if key.startswith("target-"))
    targets = [TargetRow(sent[f"target-{number}"], sent.get(f"via-{number}", "")) for number in numbers]
    kept = [one for one in targets if one.target]
    return LevelRow(sent.get("wait", ""), sent.get("importance", IMPORTANCES[0]), kept)


def rows_of(value: Any) -> list[LevelRow]:
    """Rows for stored levels; rows that were sent stay as they are."""
    if isinstance(value, list) and all(isinstance(one, LevelRow) for one in value):
        return value
    try:
        levels = read_levels(value or [])
    except PlanError:
        return []
    return [
        LevelRow(
            wait=duration_text(timedelta(seconds=level.wait)),
            importance=level.importance,
            targets=[TargetRow(f"{target.kind}:{target.id}", target.via) for target in level.targets],
        )
        for level in levels
    ]


class LevelsField(forms.Field):
    """Levels in their stored form; what is wrong is told beside the control it is about."""

    widget = LevelsWidget

    def know(self, choices: Choices, ways: Mapping[str, Any], kept: Iterable[str] = ()) -> None:
        """Say whom a level may name, by which kinds of channel, and which `kind:id` beyond sight may stay."""
        self.ways, self.kept = ways, frozenset(kept)
        self.named = {f"{kind}:{key}" for kind, names in choices.items() for key in names}
        self.widget.choices, self.widget.ways = choices, list(ways.items())

    def clean(self, value: Any) -> list[Any]:
        """Return the levels; raise ValidationError after marking the rows."""
        rows = rows_of(value)
        if not rows:
            raise ValidationError(_("Add at least one level."), code="required")
        if len(rows) > MAX_LEVELS:
            raise ValidationError(_("Give from one to %(limit)d levels.") % {"limit": MAX_LEVELS}, code="levels")
        levels = [self._level(row) for row in rows]
        self.widget.judged = rows
        if any(level is None for level in levels):
            wrong = [str(number) for number, level in enumerate(levels, 1) if level is None]
            raise ValidationError(
                _("Mend what is marked: level %(levels)s.") % {"levels": ", ".join(wrong)}, code="rows"
            )
        plain: list[Any] = msgspec.to_builtins(levels)
        return plain

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != (initial or []))
        except ValidationError:
            return True

    def _level(self, row: LevelRow) -> Level | None:
        row.faults = {}
        wait = self._wait(row)
        importance: Any = row.importance
        if importance not in IMPORTANCES:
            row.faults["importance"] = _("Choose urgent or normal.")
        if not row.targets:
            row.faults["targets"] = _("Choose whom it tells.")
        elif len(row.targets) > MAX_TARGETS:
            row.faults["targets"] = _("Name at most %(limit)d.") % {"limit": MAX_TARGETS}
        targets = [self._target(one) for one in row.targets]
        if row.faults or any(one.faults for one in row.targets):
            return None
        return Level(wait, [target for target in targets if target is not None], importance)

    def _wait(self, row: LevelRow) -> int:
        try:
            wait = DurationTextField(required=False).to_python(row.wait)
        except ValidationError as error:
            row.faults["wait"] = error.messages[0]
            return 0
        if wait is None:
            row.faults["wait"] = _("Say how long to wait, such as 0s or 5m.")
            return 0
        if wait.total_seconds() > MAX_WAIT:
            row.faults["wait"] = _("Wait at most %(hours)d hours.") % {"hours": MAX_WAIT // 3600}
        return int(wait.total_seconds())

    def _target(self, row: TargetRow) -> Target | None:
        row.faults = {}
        kind, _colon, key = row.target.partition(":")
        if row.target not in self.named and row.target not in self.kept:
            row.faults["target"] = _("This is no longer there; choose again.")
        elif row.via and row.via not in self.ways:
            row.faults["via"] = _("Choose one of the kinds of channel.")
        elif row.via and kind == "channel":
            row.faults["via"] = _("A channel is told as it is set up; choose “as they wish”.")
        if row.faults:
            return None
        chosen: Any = kind
        return Target(chosen, UUID(key), row.via)
