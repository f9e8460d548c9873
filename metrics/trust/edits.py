"""Suggested edits put into effect: what is suggested now, judged as if a person had written it, and audited."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from metrics.models import Threshold
from metrics.thresholds import validation
from metrics.trust.outcomes import outcomes_of
from metrics.trust.verdicts import precision_of
from tenants import audit
from tenants.principal import Principal


class NotSuggested(ValueError):
    """The edit is no longer what the past of this threshold suggests."""


def apply(principal: Principal, threshold: Threshold, code: str) -> str:
    """Make the suggested edit of this name; return its words.

    What is changed is worked out anew, never taken from whoever asks. Raises `NotSuggested`, and `ValidationError`
    when the threshold could not be saved like this.
    """
    principal.require("change_configuration")
    precision = precision_of({threshold.pk})[threshold.pk]
    chosen = next((one for one in outcomes_of(threshold, precision).suggestions if one["code"] == code), None)
    if chosen is None:
        raise NotSuggested(_("This is not suggested any more."))
    for name, value in chosen["changes"].items():
        setattr(threshold, name, timedelta(seconds=value) if name in {"hold", "recover"} else value)
    validation.check(threshold)
    audit.save_audited(principal, threshold, reason=chosen["text"])
    return str(chosen["text"])
