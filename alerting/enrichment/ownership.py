"""Enrichment with the owner and the runbook, found by matchers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Self
from urllib.parse import urlsplit

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerting.decoding import limits
from alerting.enrichment.base import NOTHING, Changes, Step, StepError, additions, check_fields, read_flag
from alerting.matchers import Matcher, MatcherError, MatcherIndex, from_json

OWNER: Final = "owner"
RUNBOOK: Final = "runbook_url"
MAX_RULES: Final = 500


class _Rule(msgspec.Struct, frozen=True):
    matchers: tuple[Matcher, ...]
    labels: dict[str, str]
    annotations: dict[str, str]


class Ownership(Step):
    """The first rule that matches says who owns the alert (label `owner`) and where its runbook is."""

    kind = "ownership"
    title: ClassVar[Promise] = gettext_lazy("Owner and runbook")
    help: ClassVar[Promise] = gettext_lazy(
        "The first rule that matches sets the label owner and the annotation runbook_url."
    )
    example: ClassVar[dict[str, Any]] = {
        "rules": [
            {
                "matchers": [{"name": "service", "op": "=", "value": "checkout"}],
                "owner": "payments",
                "runbook": "https://runbooks.example.org/checkout",
            }
        ],
        "overwrite": False,
    }

    def __init__(self, rules: list[_Rule], *, overwrite: bool) -> None:
        self._index = MatcherIndex(rules)
        self._overwrite = overwrite

    @classmethod
    def compile(cls, settings: Mapping[str, Any], time_zone: str) -> Self:
        settings = check_fields(settings, cls.example)
        rules = settings.get("rules")
        if not isinstance(rules, list) or not 1 <= len(rules) <= MAX_RULES:
            raise StepError(_("Give a list of 1 to %(limit)d rules.") % {"limit": MAX_RULES}, "rules")
        read = [_read_rule(rule, f"rules/{number}") for number, rule in enumerate(rules)]
        return cls(read, overwrite=read_flag(settings, "overwrite"))

    def apply(self, labels: Mapping[str, str], annotations: Mapping[str, str], now: datetime) -> Changes:
        rule = self._index.first(labels)
        if rule is None:
            return NOTHING
        return additions(labels, annotations, rule.labels, rule.annotations, overwrite=self._overwrite)


def _read_rule(rule: object, field: str) -> _Rule:
    try:
        given = check_fields(rule, ("matchers", "owner", "runbook"))
        matchers = from_json(given.get("matchers", []), f"{field}/matchers")
    except MatcherError as refused:
        raise StepError(refused.message, refused.field) from refused
    except StepError as refused:
        raise StepError(refused.message, f"{field}/{refused.field}".rstrip("/")) from refused
    owner, runbook = given.get("owner", ""), given.get("runbook", "")
    if not isinstance(owner, str) or len(owner) > limits.MAX_LABEL_VALUE:
        raise StepError(_("The owner is a text."), f"{field}/owner")
    if runbook and not _is_web_address(runbook):
        raise StepError(_("The runbook is a web address that begins with https:// or http://."), f"{field}/runbook")
    if not owner and not runbook:
        raise StepError(_("Give an owner, a runbook or both."), f"{field}/owner")
    return _Rule(matchers, {OWNER: owner} if owner else {}, {RUNBOOK: runbook} if runbook else {})


def _is_web_address(text: object) -> bool:
    if not isinstance(text, str) or len(text) > limits.MAX_URL:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and text.isprintable()
