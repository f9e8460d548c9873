"""What is said of a lasting change: what it was before and after, since when, and how likely chance would show it."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from channels.languages.voice import Voice
from metrics.models import Finding

#: Rarer than one point in so many is said as that: nobody can tell the difference.
RAREST: Final = 1_000_000_000


def summary(finding: Finding, facts: dict[str, str], voice: Voice) -> str:
    """One sentence: what changed, from what to what."""
    facts = facts | {
        "before": _number(finding, finding.expected, voice),
        "after": _number(finding, finding.value, voice),
    }
    kind = finding.why.get("change")
    if kind == "trend":
        return _("The trend of %(series)s has changed from %(before)s to %(after)s") % facts
    if kind == "variance":
        return _("The fluctuation of %(series)s has changed from %(before)s to %(after)s") % facts
    return _("The level of %(series)s has changed from %(before)s to %(after)s") % facts


def reasons(finding: Finding, voice: Voice) -> list[tuple[str, str]]:
    """Both sides of the change with its moment, and how rare it would be by chance."""
    said = [
        (_("before"), _number(finding, finding.expected, voice)),
        (_("after"), _number(finding, finding.value, voice)),
        (_("changed since"), voice.when(finding.why.get("changed_at"), "full")),
    ]
    probability = finding.why.get("probability")
    if probability is not None:
        points = min(RAREST, round(1 / max(float(probability), 1 / RAREST)))
        said.append((_("by chance"), _("one point in %(count)s") % {"count": voice.number(points, 0)}))
    return said


def _number(finding: Finding, value: float | None, voice: Voice) -> str:
    return voice.unit(value, finding.unit) if value is not None else "–"
