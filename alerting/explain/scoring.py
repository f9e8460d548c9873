"""Scoring, told: how unusual and how urgent the tenant's past finds the alert."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from alerting.explain.story import Detail, Step, StepKind, Verdict
from alerting.scoring.words import unusual, urgent


def scoring(scores: Mapping[str, Any] | None) -> Step | None:
    """The step of scoring; None where nothing was learned yet, or scoring is off."""
    if not scores:
        return None
    plain = msgspec.to_builtins(scores)
    said = [(code, text) for code, text in (("unusual", unusual(plain)), ("urgent", urgent(plain))) if text]
    urgency = plain.get("urgency") or {}
    is_changed = bool(urgency) and urgency["becomes"] != urgency["was"]
    return Step(
        kind=StepKind.SCORING,
        verdict=Verdict.CHANGED if is_changed else Verdict.NOTED if said else Verdict.PASSED,
        title=_("What the past says of it"),
        sentence=" ".join(text for _code, text in said) or _("It is as usual, and as urgent as its sender says."),
        details=tuple(
            Detail(verdict=Verdict.NOTED, code=code, sentence=text, data=plain) for code, text in said if len(said) > 1
        ),
    )
