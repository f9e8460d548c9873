"""What the auditor's checks are called, in words, and where to go and mend what they found."""

from typing import Any, Final, NamedTuple

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from alerting.models import AuditFinding

TITLES: Final[dict[str, Promise]] = {
    "intake_waiting": _("accepted alerts that wait too long"),
    "intake_forgotten": _("accepted alerts that nothing waits for"),
    "alerts_without_group": _("firing alerts outside an open group"),
    "alerts_untold": _("firing alerts nobody was told of"),
    "groups_without_timer": _("open groups nobody looks at"),
    "escalations_without_timer": _("escalations that stand still"),
    "calls_without_delivery": _("calls without a message"),
    "timers_overdue": _("groups and calls that are late"),
    "told_without_delivery": _("messages written down that were never made"),
    "deliveries_forgotten": _("messages that nothing sends"),
    "deliveries_overdue": _("messages that are late"),
    "leases_overdue": _("messages whose sender is gone"),
    "nobody_on_call": _("times with nobody on call, in the next two weeks"),
    "on_call_unreachable": _("people on call who cannot be reached, in the next two weeks"),
    "escalation_targets_gone": _("escalation policies that call nobody"),
}
_PAGES: Final = {
    "nobody_on_call": "alerting_oncallschedule_changelist",
    "on_call_unreachable": "alerting_contactmethod_changelist",
    "escalation_targets_gone": "alerting_escalationpolicy_changelist",
    "deliveries_overdue": "channels_delivery_changelist",
    "leases_overdue": "channels_delivery_changelist",
    "deliveries_forgotten": "channels_delivery_changelist",
}
#: Examples of these checks are sentences; those of the others are ids, which mean nothing to a reader.
_SPEAKING: Final = frozenset({"nobody_on_call", "on_call_unreachable", "escalation_targets_gone"})
MAX_EXAMPLES: Final = 3


class Line(NamedTuple):
    """One check as the overview shows it."""

    finding: AuditFinding
    title: str
    link: str
    examples: list[Any]


def lines(findings: list[AuditFinding]) -> list[Line]:
    """Findings with their words; a check without words is shown by its name."""
    return [
        Line(
            one,
            str(TITLES.get(one.check_name) or one.check_name.replace("_", " ")),
            reverse(f"admin:{_PAGES[one.check_name]}") if one.count and one.check_name in _PAGES else "",
            list(one.examples or [])[:MAX_EXAMPLES] if one.check_name in _SPEAKING and one.count else [],
        )
        for one in findings
    ]
