"""How far thresholds can be trusted, as the admin shows it, and suggested edits at the press of a button."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from metrics.judging.learned import DEFAULT_SENSITIVITY
from metrics.judging.learned import sensitivity_of as moved
from metrics.judging.rules import rule_of
from metrics.judging.telling import LEARNED
from metrics.models import Threshold
from metrics.thresholds.conditions import Sensitive
from metrics.trust import edits
from metrics.trust.outcomes import outcomes_of_all
from metrics.trust.verdicts import precision_of
from tenants.admin.actor import principal_of
from tenants.admin.display import chip


def attach(rows: Sequence[Threshold]) -> None:
    """Put precision and outcomes beside the rows of a list; a fixed number of statements for all of them."""
    precision = precision_of({row.pk for row in rows})
    outcomes = outcomes_of_all(rows)
    for row in rows:
        row.precision, row.outcomes = precision[row.pk], outcomes[row.pk]  # type: ignore[attr-defined]


def precision_chip(threshold: Any) -> SafeString | str:
    """What was useful of what it found, and whether that is proven."""
    precision = threshold.precision
    if precision.share is None:
        return "\u2013"
    share = chip(f"{round(precision.share * 100)} %", "green" if precision.is_enough else "yellow")
    if threshold.kind not in LEARNED:
        return share
    words = _("proven: %(proven)d %% of %(floor)d %%") % {
        "proven": round(precision.proven * 100),
        "floor": round(precision.floor * 100),
    }
    return format_html('{} <span class="al-muted">{}</span>', share, words)


def acted_text(threshold: Any) -> SafeString | str:
    """How often its alerts were acted on or ignored within thirty days."""
    outcomes = threshold.outcomes
    if not outcomes.told:
        return "\u2013"
    return _("%(acted)d of %(told)d; ignored: %(ignored)d") % {
        "acted": outcomes.acted_on,
        "told": outcomes.told,
        "ignored": outcomes.ignored,
    }


def sensitivity_of(threshold: Threshold) -> dict[str, float] | None:
    """Where people put the sensitivity, where feedback has moved it, and the bounds that hold it; None without one."""
    condition = rule_of(threshold).condition
    if not isinstance(condition, Sensitive):
        return None
    return {
        "set": DEFAULT_SENSITIVITY if condition.sensitivity is None else condition.sensitivity,
        "now": moved(condition, threshold.adjustment),
        "least": condition.least,
        "most": condition.most,
    }


def apply(page: Any, request: HttpRequest, threshold: Threshold) -> HttpResponse:
    """Make one suggested edit and go back to the threshold; a refusal is told there."""
    if not page.has_change_permission(request, threshold):
        raise PermissionDenied
    try:
        done = edits.apply(principal_of(request), threshold, request.POST.get("code", ""))
        messages.success(request, _("Changed. %(what)s") % {"what": done})
    except edits.NotSuggested as error:
        messages.error(request, str(error))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(reverse(f"{page.admin_site.name}:metrics_threshold_change", args=[threshold.pk]))
