"""Which kinds of enrichment there are: the dotted paths of settings.ENRICHMENT_STEPS."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings as django_settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from alerting.enrichment.base import Step, StepError


def kinds() -> dict[str, type[Step]]:
    """Every kind with its class, in the order of the settings."""
    return _load(tuple(django_settings.ENRICHMENT_STEPS))


def step_class(kind: str) -> type[Step]:
    """The class of a kind, or StepError naming those there are."""
    known = kinds()
    if kind not in known:
        message = _("There is no enrichment of the kind %(kind)s. Choose one of %(known)s.")
        raise StepError(message % {"kind": kind, "known": ", ".join(known)}, "kind")
    return known[kind]


def compile_step(kind: str, settings: Mapping[str, Any], time_zone: str) -> Step:
    """A step ready for many alerts, or StepError naming the field that is wrong."""
    return step_class(kind).compile(settings, time_zone)


@lru_cache(maxsize=8)
def _load(paths: tuple[str, ...]) -> dict[str, type[Step]]:
    classes: list[type[Step]] = [import_string(path) for path in paths]
    return {one.kind: one for one in classes}
