"""What an enrichment step is, what it may change, and the limits no step may break."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Self

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from alerting.decoding import limits
from alerting.decoding.names import is_name


class StepError(ValueError):
    """Settings a step cannot work with; `field` is the path inside the settings, `message` says what to do."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Changes(msgspec.Struct, frozen=True):
    """What one step changed; None takes the name away. `refused` says what would have broken a limit."""

    labels: Mapping[str, str | None] = {}
    annotations: Mapping[str, str | None] = {}
    refused: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.labels or self.annotations or self.refused)


NOTHING: Final = Changes()


class Step(ABC):
    """A kind of enrichment. A new kind is one file with such a class and one line in settings.ENRICHMENT_STEPS."""

    #: Stored with the tenant's step; never change it.
    kind: ClassVar[str]
    title: ClassVar[Promise]
    help: ClassVar[Promise]
    #: An example a form can start from; it compiles.
    example: ClassVar[dict[str, Any]]

    @classmethod
    @abstractmethod
    def compile(cls, settings: Mapping[str, Any], time_zone: str) -> Self:
        """Check the settings (StepError names the field) and make the step ready for many alerts."""

    @abstractmethod
    def apply(self, labels: Mapping[str, str], annotations: Mapping[str, str], now: datetime) -> Changes:
        """Say what to change; never change the arguments, never raise for any alert."""


def additions(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    new_labels: Mapping[str, str],
    new_annotations: Mapping[str, str],
    *,
    overwrite: bool,
) -> Changes:
    """The changes that set these names, leaving what is there already unless `overwrite`."""
    set_labels = _additions(labels, new_labels, overwrite)
    set_annotations = _additions(annotations, new_annotations, overwrite)
    return Changes(set_labels, set_annotations) if set_labels or set_annotations else NOTHING


def within_limits(labels: Mapping[str, str], annotations: Mapping[str, str], changes: Changes) -> Changes:
    """The changes less those that would make the alert too big; an alert is never refused for its enrichment."""
    if _fits(labels, changes.labels, limits.MAX_LABELS, limits.MAX_LABEL_VALUE) and _fits(
        annotations, changes.annotations, limits.MAX_ANNOTATIONS, limits.MAX_ANNOTATION_VALUE
    ):
        return changes
    refused = list(changes.refused)
    kept_labels = _fitting(labels, changes.labels, limits.MAX_LABELS, limits.MAX_LABEL_VALUE, refused)
    kept_annotations = _fitting(
        annotations, changes.annotations, limits.MAX_ANNOTATIONS, limits.MAX_ANNOTATION_VALUE, refused
    )
    return Changes(kept_labels, kept_annotations, tuple(refused)) if refused else changes


def changed(before: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """The names and values after the changes."""
    after = {**before, **changes}
    if None not in changes.values():
        return after  # type: ignore[return-value]
    return {name: value for name, value in after.items() if value is not None}


def read_names(settings: Mapping[str, Any], field: str, longest: int) -> dict[str, str]:
    """A setting that is an object of names and texts, checked against the limits."""
    given = settings.get(field, {})
    if not isinstance(given, Mapping):
        raise StepError(_("This is an object of names and texts."), field)
    if len(given) > limits.MAX_ANNOTATIONS:
        raise StepError(_("At most %(limit)d names.") % {"limit": limits.MAX_ANNOTATIONS}, field)
    for name, value in given.items():
        read_name(name, f"{field}/{name}"[:200])
        if not isinstance(value, str) or not value or len(value) > longest:
            message = _("A value is a text of 1 to %(limit)d characters.")
            raise StepError(message % {"limit": longest}, f"{field}/{name}")
    return dict(given)


def read_labels(settings: Mapping[str, Any], field: str = "labels") -> dict[str, str]:
    """A setting that is an object of labels."""
    return read_names(settings, field, limits.MAX_LABEL_VALUE)


def read_annotations(settings: Mapping[str, Any], field: str = "annotations") -> dict[str, str]:
    """A setting that is an object of annotations."""
    return read_names(settings, field, limits.MAX_ANNOTATION_VALUE)


def read_name(name: object, field: str) -> str:
    """A setting that is the name of a label or annotation."""
    if not isinstance(name, str) or not is_name(name):
        message = _("A name begins with a letter or _ and goes on with letters, digits and _ . : / -, up to %(limit)d.")
        raise StepError(message % {"limit": limits.MAX_LABEL_NAME}, field)
    return name


def read_flag(settings: Mapping[str, Any], field: str) -> bool:
    """A setting that is true or false; false when it is missing."""
    given = settings.get(field, False)
    if not isinstance(given, bool):
        raise StepError(_("This is true or false."), field)
    return given


def check_fields(settings: object, known: Iterable[str]) -> Mapping[str, Any]:
    """Refuse settings with fields the step does not know: a typing error must not pass in silence."""
    if not isinstance(settings, Mapping):
        raise StepError(_("The settings of a step are an object."), "")
    names = tuple(known)
    for field in settings:
        if field not in names:
            message = _("This step has no such setting. It has %(known)s.")
            raise StepError(message % {"known": ", ".join(names)}, str(field)[:100])
    return settings


def _additions(before: Mapping[str, str], new: Mapping[str, str], overwrite: bool) -> dict[str, str | None]:
    if not new:
        return {}
    if overwrite:
        return {name: value for name, value in new.items() if before.get(name) != value}
    return {name: value for name, value in new.items() if not before.get(name)}


def _fits(before: Mapping[str, str], changes: Mapping[str, str | None], most: int, longest: int) -> bool:
    """The quick answer for nearly all alerts."""
    if len(before) + len(changes) > most:
        return not changes
    for value in changes.values():  # noqa: SIM110 - all() with a generator costs three times as much
        if value is not None and len(value) > longest:
            return False
    return True


def _fitting(
    before: Mapping[str, str], changes: Mapping[str, str | None], most: int, longest: int, refused: list[str]
) -> Mapping[str, str | None]:
    kept: dict[str, str | None] = {}
    room = most - len(before) + sum(1 for name, value in changes.items() if value is None and name in before)
    for name, value in changes.items():
        if value is not None and len(value) > longest:
            refused.append(_("%(name)s is longer than %(limit)d characters.") % {"name": name, "limit": longest})
            continue
        if value is not None and name not in before:
            if room <= 0:
                refused.append(
                    _("There is no room for %(name)s; the limit is %(limit)d.") % {"name": name, "limit": most}
                )
                continue
            room -= 1
        kept[name] = value
    return kept
