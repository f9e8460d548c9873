"""What people say an alert was worth, handed to whoever found it (`settings.FEEDBACK_TAKER`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting import timeline
from alerting.late_facts import identifier
from alerting.models import Alert
from alerting.timeline import Event, Kind
from tenants.context import tenant_context
from tenants.principal import Principal

USEFUL: Final = "useful"
NOISE: Final = "noise"
VERDICTS: Final = (USEFUL, NOISE)
#: So many findings of one group are judged together.
MOST: Final = 20

#: Takes who says it, the ids of findings and the verdict; returns how many of them there are.
Taker = Callable[[Principal, list[UUID], str], int]


class NothingToJudge(ValueError):
    """No alert of the group stems from a finding of the service itself."""


def give(principal: Principal, group_id: UUID, verdict: str) -> str:
    """Say what all findings behind a group's alerts were worth; return words for the person.

    Raises `NothingToJudge`, and `PermissionDenied` for who may not act on alerts.
    """
    principal.require("act_on_alerts")
    with tenant_context(principal.tenant_id):
        findings = findings_of(group_id)
        take: Taker = import_string(settings.FEEDBACK_TAKER)
        count = take(principal, findings, verdict) if findings else 0
        if not count:
            raise NothingToJudge(_("No detector of this service found what this is about."))
        event = Event(kind=Kind.JUDGED, group_id=group_id, reason=verdict, actor=principal.label)
        timeline.record([event])
    return thanks(verdict, count)


def findings_of(group_id: UUID) -> list[UUID]:
    """The findings behind a group's alerts, the latest first."""
    rows = Alert._default_manager.filter(group_id=group_id, annotations__has_key="finding_id")
    found = rows.order_by("-changed_at", "-id").values_list("annotations__finding_id", flat=True)[:MOST]
    # Annotations come from senders, too.
    return [one for one in map(identifier, found) if one is not None]


def thanks(verdict: str, count: int) -> str:
    """What is answered to a verdict."""
    if verdict == USEFUL:
        said = ngettext("Noted: %(count)d finding was useful.", "Noted: %(count)d findings were useful.", count)
    else:
        said = ngettext("Noted: %(count)d finding was noise.", "Noted: %(count)d findings were noise.", count)
    return f"{said % {'count': count}} {_('Verdicts decide what may alert, and how soon it does.')}"
