"""What scoring says of an alert, in words."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerting.models import SeverityLevel

#: From this tail probability on an alert counts as unusual.
UNUSUAL: Final = 0.02

REASONS: Final[dict[str, Promise]] = {
    "label_value": gettext_lazy("a value that its label hardly ever has"),
    "labels_on_average": gettext_lazy("several labels with rare values"),
    "name": gettext_lazy("a name that hardly ever fires"),
    "hour": gettext_lazy("an hour at which it hardly ever fires"),
    "label_set": gettext_lazy("labels that hardly ever come together"),
    "pace": gettext_lazy("far more of its kind in a minute than usual"),
    "company": gettext_lazy("far more kinds of alerts at the same time than usual"),
}


def unusual(scores: Mapping[str, Any] | None) -> str:
    """One sentence on what is unusual about an alert; empty where nothing is."""
    novelty = (scores or {}).get("novelty")
    if not novelty or novelty["probability"] > UNUSUAL:
        return ""
    share = max(1, round(1 / max(novelty["probability"], 1e-4)))
    why = ", ".join(str(REASONS[reason]) for reason in novelty["reasons"] if reason in REASONS)
    if not why:
        return _("Unusual: about 1 in %(share)d of the alerts before was as rare.") % {"share": share}
    values = {"share": share, "why": why}
    return _("Unusual: %(why)s. About 1 in %(share)d of the alerts before was as rare.") % values


def urgent(scores: Mapping[str, Any] | None) -> str:
    """One sentence on what people did with alerts like it; empty where that suggests what it has anyway."""
    urgency = (scores or {}).get("urgency")
    if not urgency or urgency["suggests"] == urgency["was"]:
        return ""
    values = {
        "share": round(urgency["probability"] * 100),
        "was": SeverityLevel(urgency["was"]).label,
        "suggests": SeverityLevel(urgency["suggests"]).label,
        "words": _factors(urgency["factors"]),
    }
    if urgency["becomes"] != urgency["was"]:
        values["becomes"] = SeverityLevel(urgency["becomes"]).label
        return (
            _("Made %(becomes)s, sent as %(was)s: people act on %(share)d %% of alerts like it (%(words)s).") % values
        )
    return (
        _("Sent as %(was)s; %(suggests)s would fit: people act on %(share)d %% of alerts like it (%(words)s).") % values
    )


def _factors(factors: Sequence[tuple[str, float]]) -> str:
    """The words that spoke loudest, those for acting first."""
    said = []
    if more := ", ".join(word for word, weight in factors if weight > 0):
        said.append(_("more often with %(words)s") % {"words": more})
    if less := ", ".join(word for word, weight in factors if weight <= 0):
        said.append(_("less often with %(words)s") % {"words": less})
    return "; ".join(said)
