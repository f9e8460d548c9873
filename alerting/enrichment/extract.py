"""Enrichment that takes parts of one label or annotation and writes them to others."""

import re
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
    read_flag,
    read_labels,
    read_name,
)
from alerting.matchers.expression import MEMO_LENGTH, MEMO_VALUES, MatcherError, expression

ANNOTATION: Final = "annotation:"
_GROUP: Final = re.compile(r"\$\{(\w+)\}")


class Extract(Step):
    """Finds a pattern with named groups in `source`; the groups, or templates of them, become labels."""

    kind = "extract"
    title: ClassVar[Promise] = gettext_lazy("Extract and rewrite")
    help: ClassVar[Promise] = gettext_lazy(
        "Finds a pattern with named groups in a label (or annotation:name) and writes the groups to labels."
        " With `labels` the values are templates such as ${group}; with `remove` the source label goes away."
    )
    example: ClassVar[dict[str, Any]] = {
        "source": "instance",
        "pattern": r"(?P<host>[^.:]+)\.(?P<zone>[a-z0-9-]+).*",
        "labels": {"host": "${host}", "place": "zone ${zone}"},
        "overwrite": True,
        "remove": False,
    }

    def __init__(self, source: str, compiled: Any, labels: dict[str, str], *, overwrite: bool, remove: bool) -> None:
        self._in_annotation = source.startswith(ANNOTATION)
        self._source = source.removeprefix(ANNOTATION)
        self._compiled = compiled
        self._templates = labels
        self._overwrite = overwrite
        self._remove = remove
        self._memo: dict[str, dict[str, str] | None] = {}

    @classmethod
    def compile(cls, settings: Mapping[str, Any], time_zone: str) -> Self:
        settings = check_fields(settings, cls.example)
        source = settings.get("source")
        read_name(source.removeprefix(ANNOTATION) if isinstance(source, str) else source, "source")
        compiled = _pattern(settings.get("pattern"))
        groups = set(compiled.groupindex)
        labels = read_labels(settings) or {read_name(group, "pattern"): f"${{{group}}}" for group in groups}
        if not labels:
            raise StepError(_("Name a group, as in (?P<host>[a-z]+), or give labels to write."), "pattern")
        for name, template in labels.items():
            unknown = set(_GROUP.findall(template)) - groups
            if unknown:
                message = _("The pattern has no group named %(unknown)s.")
                raise StepError(message % {"unknown": ", ".join(sorted(unknown))}, f"labels/{name}")
        remove = read_flag(settings, "remove")
        if remove and str(source).startswith(ANNOTATION):
            raise StepError(_("Only a label can be removed, not an annotation."), "remove")
        return cls(str(source), compiled, labels, overwrite=read_flag(settings, "overwrite"), remove=remove)

    def apply(self, labels: Mapping[str, str], annotations: Mapping[str, str], now: datetime) -> Changes:
        value = (annotations if self._in_annotation else labels).get(self._source)
        if not value:
            return NOTHING
        found = self._found(value)
        if found is None:
            return NOTHING
        changes = additions(labels, annotations, found, {}, overwrite=self._overwrite)
        if self._remove and self._source not in found:
            return Changes({**changes.labels, self._source: None})
        return changes

    def _found(self, value: str) -> dict[str, str] | None:
        if value in self._memo:
            return self._memo[value]
        match = self._compiled.search(value)
        found = None if match is None else self._written(match.groupdict(default=""))
        if len(value) <= MEMO_LENGTH:
            if len(self._memo) >= MEMO_VALUES:
                self._memo.clear()
            self._memo[value] = found
        return found

    def _written(self, groups: Mapping[str, str]) -> dict[str, str]:
        written = {
            name: _GROUP.sub(lambda group: groups[group[1]], template).strip()
            for name, template in self._templates.items()
        }
        return {name: value for name, value in written.items() if value}


def _pattern(pattern: object) -> Any:
    if not isinstance(pattern, str) or not pattern:
        raise StepError(_("Give a regular expression with named groups."), "pattern")
    try:
        return expression(pattern, "pattern")
    except MatcherError as refused:
        raise StepError(refused.message, refused.field) from refused
