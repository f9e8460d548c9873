"""The acts that Slack's buttons, dialogs and command stand for, done through `alerting.lifecycle`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from alerting import feedback, lifecycle
from alerting.lifecycle import IllegalStep
from alerting.messages import group_url
from alerting.models import AlertGroup, GroupStatus
from alerting.scoring.similar import Suggestion, advice
from alerting.severity import LABELS
from channels.sanitise import escape_mrkdwn, http_url, one_line
from channels.selectors import database_now
from channels.slack import views
from channels.slack.requests import Call
from tenants.models import User
from tenants.principal import Principal

SILENCES: Final = {"silence_1h": timedelta(hours=1), "silence_4h": timedelta(hours=4)}
MAX_LISTED: Final = 10
now = database_now


class CannotAct(Exception):
    """The act cannot be done, for the reason in its words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


def act(principal: Principal, name: str, group_id: UUID, call: Call) -> str:
    """Do an act; return words for the person. Raises `CannotAct`."""
    try:
        return _ACTS[name](principal, group_id, call)
    except AlertGroup.DoesNotExist as error:
        raise CannotAct("gone", _("This group is gone.")) from error
    except PermissionDenied as error:
        raise CannotAct("not_allowed", str(error)) from error
    except IllegalStep as error:
        raise CannotAct("conflict", str(error)) from error
    except (ValueError, ValidationError) as error:
        words = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        raise CannotAct("refused", words) from error


def not_allowed(principal: Principal) -> str:
    """Say which permission is missing."""
    try:
        principal.require("act_on_alerts")
    except PermissionDenied as error:
        return str(error)
    return ""


def obey_command(principal: Principal, text: str) -> str:
    """Answer the slash command: what is open now."""
    if not principal.can("view_alerts"):
        return _("Your role does not let you see alerts here.")
    if text.strip() not in {"", "list"}:
        return _("Write /alerts to see what is open. Buttons on each message do the rest.")
    rows = AlertGroup._default_manager.exclude(status=GroupStatus.RESOLVED).order_by("-severity", "-opened_at")
    groups = list(rows[: MAX_LISTED + 1])
    if not groups:
        return _("Nothing is open. All is well.")
    lines = [_line(group) for group in groups[:MAX_LISTED]]
    if len(groups) > MAX_LISTED:
        lines.append(_("There are more; these are the most severe."))
    return "\n".join(lines)


def _acknowledge(principal: Principal, group_id: UUID, call: Call) -> str:
    lifecycle.acknowledge(principal, group_id, "Slack")
    return _("Acknowledged.")


def _unacknowledge(principal: Principal, group_id: UUID, call: Call) -> str:
    lifecycle.unacknowledge(principal, group_id, "Slack")
    return _("The acknowledgement is taken back.")


def _resolve(principal: Principal, group_id: UUID, call: Call) -> str:
    lifecycle.resolve(principal, group_id, "Slack")
    return _("Resolved.")


def _comment(principal: Principal, group_id: UUID, call: Call) -> str:
    lifecycle.comment(principal, group_id, views.text_of(call.inputs))
    return _("The comment is kept.")


def _silence(span: timedelta) -> Callable[[Principal, UUID, Call], str]:
    def silence(principal: Principal, group_id: UUID, call: Call) -> str:
        lifecycle.silence_group(principal, group_id, database_now() + span, origin=_("Silenced in Slack"))
        return _("Silenced for %(hours)d h.") % {"hours": span.total_seconds() // 3600}

    return silence


def _silence_until(principal: Principal, group_id: UUID, call: Call) -> str:
    until = views.until_of(call.inputs)
    if until is None or until <= database_now():
        raise CannotAct("refused", _("Choose a time to come."))
    lifecycle.silence_group(principal, group_id, until, origin=_("Silenced in Slack"))
    return _("Silenced.")


def _assign(principal: Principal, group_id: UUID, call: Call) -> str:
    lifecycle.assign(principal, group_id, User.objects.get(pk=principal.id))
    return _("It is yours now.")


def _similar(principal: Principal, group_id: UUID, call: Call) -> str:
    """List the groups of the past that are like it, and what they suggest doing."""
    principal.require("view_alerts")
    said = advice(AlertGroup._default_manager.get(pk=group_id))
    likeness = {one.id: one.likeness for one in said.similar}
    rows = AlertGroup._default_manager.in_bulk(list(likeness))
    lines = [_line(rows[one]) for one in likeness if one in rows]
    tips = [_tip(one) for one in said.suggestions]
    return "\n".join([*tips, *lines]) if lines or tips else _("There was nothing like it before.")


def _judge(verdict: str) -> Callable[[Principal, UUID, Call], str]:
    return lambda principal, group_id, call: feedback.give(principal, group_id, verdict)


def _tip(suggestion: Suggestion) -> str:
    text = escape_mrkdwn(one_line(suggestion.text, 300))
    url = http_url(suggestion.url)
    return f"<{url}|{text}>" if url else text


def _line(group: AlertGroup) -> str:
    title = escape_mrkdwn(one_line(group.title, 120)) or "-"
    severity, status = LABELS.get(group.severity, str(group.severity)), GroupStatus(group.status).label
    return f"\u2022 <{group_url(group.pk)}|{title}> ({severity}, {status}, {group.opened_at:%Y-%m-%d %H:%M} UTC)"


_ACTS: Final[dict[str, Callable[[Principal, UUID, Call], str]]] = {
    "acknowledge": _acknowledge,
    "unacknowledge": _unacknowledge,
    "resolve": _resolve,
    "comment": _comment,
    "silence_1h": _silence(SILENCES["silence_1h"]),
    "silence_4h": _silence(SILENCES["silence_4h"]),
    "silence_until": _silence_until,
    "assign": _assign,
    "similar": _similar,
    **{verdict: _judge(verdict) for verdict in feedback.VERDICTS},
}
__all__ = ["CannotAct", "act", "not_allowed", "now", "obey_command"]
