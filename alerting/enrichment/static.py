"""Enrichment with fixed labels and annotations."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerting.enrichment.base import (
    Changes,
    Step,
    StepError,
    additions,
    check_fields,
    read_annotations,
    read_flag,
    read_labels,
)


class StaticLabels(Step):
    """Sets labels and annotations that are always the same."""

    kind = "static"
    title: ClassVar[Promise] = gettext_lazy("Fixed labels")
    help: ClassVar[Promise] = gettext_lazy("Adds the same labels and annotations to every alert the matchers select.")
    example: ClassVar[dict[str, Any]] = {"labels": {"region": "eu-west-1"}, "annotations": {}, "overwrite": False}

    def __init__(self, labels: dict[str, str], annotations: dict[str, str], *, overwrite: bool) -> None:
        self._labels = labels
        self._annotations = annotations
        self._overwrite = overwrite

    @classmethod
    def compile(cls, settings: Mapping[str, Any], time_zone: str) -> Self:
        settings = check_fields(settings, cls.example)
        labels, annotations = read_labels(settings), read_annotations(settings)
        if not labels and not annotations:
            raise StepError(_("Name at least one label or annotation to set."), "labels")
        return cls(labels, annotations, overwrite=read_flag(settings, "overwrite"))

    def apply(self, labels: Mapping[str, str], annotations: Mapping[str, str], now: datetime) -> Changes:
        return additions(labels, annotations, self._labels, self._annotations, overwrite=self._overwrite)
