"""The page of one group: its state and what to do about it, what happened, its alerts, who was told."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from alerting import feedback, lifecycle
from alerting.admin.alerts import explain_link
from alerting.admin.escalation import step_lines
from alerting.admin.matching import label_chips
from alerting.admin.severity import severity_chip, status_chip
from alerting.admin.timelines import timeline_lines
from alerting.assistant.asking import ask, is_offered
from alerting.assistant.provider import NoAnswer
from alerting.escalation import next_steps
from alerting.late_facts import MAX_RELATED, SAME_CAUSE_GROUPS, identifier
from alerting.models import Alert, AlertGroup, GroupStatus
from alerting.scoring.similar import advice
from alerting.scoring.words import unusual, urgent
from alerting.selectors import group_timeline
from channels.admin.describing import attempt_lines, reason_title, state_chip
from channels.models import Delivery
from tenants.admin.actor import can, principal_of
from tenants.models import Membership, User
from tenants.principal import Principal

ALERTS, EVENTS, DELIVERIES = 100, 200, 50
SILENCES: Final = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "24h": timedelta(hours=24)}
Deed = Callable[[Principal, AlertGroup], object]
REFUSALS: Final = (lifecycle.IllegalStep, ValueError, NoAnswer)

DEEDS: Final[dict[str, Deed]] = {
    "acknowledge": lambda principal, group: lifecycle.acknowledge(principal, group.pk),
    "unacknowledge": lambda principal, group: lifecycle.unacknowledge(principal, group.pk),
    "resolve": lambda principal, group: lifecycle.resolve(principal, group.pk),
    "ask": lambda principal, group: ask(principal, group.pk),
    "useful": lambda principal, group: feedback.give(principal, group.pk, feedback.USEFUL),
    "noise": lambda principal, group: feedback.give(principal, group.pk, feedback.NOISE),
}


def silencing(length: timedelta) -> Deed:
    """Return the deed that silences a group from now on."""
    return lambda principal, group: lifecycle.silence_group(
        principal, group.pk, timezone.now() + length, _("Silenced in the list of groups")
    )


class SilenceUntilForm(forms.Form):
    """How long a group is silenced, and why."""

    until = forms.DateTimeField(label=gettext_lazy("until"), required=False)
    length = forms.ChoiceField(choices=[(name, name) for name in SILENCES], required=False)
    comment = forms.CharField(max_length=500, required=False)

    def ends_at(self) -> datetime | None:
        """Return the end of the silence, or None when neither was chosen."""
        if self.cleaned_data["length"]:
            return timezone.now() + SILENCES[self.cleaned_data["length"]]
        until: datetime | None = self.cleaned_data["until"]
        return until


class CommentForm(forms.Form):
    """A remark for whoever comes next."""

    text = forms.CharField(
        max_length=4_000,
        widget=UnfoldAdminTextInputWidget(
            attrs={"placeholder": gettext_lazy("a remark"), "aria-label": gettext_lazy("comment")}
        ),
    )


class AssignForm(forms.Form):
    """Who takes care; only members of the tenant."""

    person = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("person"), required=False, widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        members = Membership._default_manager.values("user_id")
        self.fields["person"].queryset = User.objects.filter(pk__in=members)  # type: ignore[attr-defined]


def show(page: Any, request: HttpRequest, group: AlertGroup) -> HttpResponse:
    """Return the page; a fixed number of statements however much hangs on the group."""
    page.check_look(request, group)
    alerts = list(Alert._default_manager.filter(group=group).order_by("-changed_at", "-id")[: ALERTS + 1])
    deliveries = list(
        Delivery._default_manager.filter(source_id=group.pk).select_related("channel").defer("message")[:DELIVERIES]
    )
    attempts = attempt_lines(deliveries)
    common = dict(group.labels)
    context = {
        **page.admin_site.each_context(request),
        "title": group.title,
        "opts": page.opts,
        "group": group,
        "severity": severity_chip(group.severity),
        "status": status_chip(group.status),
        "labels": label_chips(common, most=20),
        "alerts": [_alert_line(alert, common) for alert in alerts[:ALERTS]],
        "more_alerts": len(alerts) > ALERTS,
        "timeline": timeline_lines(group_timeline(group.pk).order_by("-at", "-id")[:EVENTS]),
        "deliveries": [
            {
                "delivery": delivery,
                "state": state_chip(delivery),
                "reason": reason_title(delivery.reason),
                "attempts": attempts.get(delivery.pk, []),
            }
            for delivery in deliveries
        ],
        "may_act": can(request, "act_on_alerts"),
        "is_open": group.status != GroupStatus.RESOLVED,
        "lengths": list(SILENCES),
        "comment_form": CommentForm(),
        "assign_form": AssignForm(initial={"person": group.assigned_to_id}),
        "explain": explain_link(alerts[0]) if alerts else "",
        "steps": step_lines(next_steps(group.pk)),
        "advice": advice(group),
        "may_ask": is_offered(),
        "is_found": bool(feedback.findings_of(group.pk)),
        "same_cause": same_cause(alerts),
    }
    request.current_app = page.admin_site.name
    return TemplateResponse(request, "admin/alerting/group.html", context)


def same_cause(alerts: Sequence[Alert]) -> list[AlertGroup]:
    """Other groups that most likely have the same cause, as the service has noted beside their alerts."""
    noted = ",".join(alert.annotations.get(SAME_CAUSE_GROUPS, "") for alert in alerts).split(",")
    ids = [found for one in dict.fromkeys(noted) if (found := identifier(one)) is not None]
    return list(AlertGroup._default_manager.filter(pk__in=ids[:MAX_RELATED]).order_by("opened_at", "id"))


def _alert_line(alert: Alert, common: dict[str, str]) -> dict[str, Any]:
    own = {name: value for name, value in alert.labels.items() if common.get(name) != value}
    return {
        "alert": alert,
        "severity": severity_chip(alert.severity),
        "status": status_chip(alert.status),
        "labels": label_chips(own or alert.labels, most=6),
        "summary": alert.annotations.get("summary", ""),
        "unusual": unusual(alert.scores),
        "urgent": urgent(alert.scores),
        "explain": explain_link(alert),
    }


def act(page: Any, request: HttpRequest, group: AlertGroup) -> HttpResponse:
    """Do one deed and go back to the page; a refusal is told there."""
    if not page.has_act_permission(request):
        raise PermissionDenied
    deed, done = _wanted(request)
    try:
        deed(principal_of(request), group)
        messages.success(request, done)
    except forms.ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(reverse(f"{page.admin_site.name}:alerting_alertgroup_change", args=[group.pk]))


def _wanted(request: HttpRequest) -> tuple[Deed, str]:
    name = request.POST.get("deed", "")
    told = {
        "acknowledge": _("Acknowledged: nobody is reminded of it until something new happens."),
        "unacknowledge": _("The acknowledgement is taken back."),
        "resolve": _("Resolved."),
        "ask": _("The assistant's answer is on the timeline."),
        "useful": _("Noted. Verdicts decide whether a detector may alert."),
        "noise": _("Noted. Verdicts decide whether a detector may alert."),
        "silence": _("Silenced."),
        "comment": _("Your comment is on the timeline."),
        "assign": _("Assigned."),
    }
    others: dict[str, Deed] = {
        "silence": lambda principal, group: _silence(request, principal, group),
        "comment": lambda principal, group: _comment(request, principal, group),
        "assign": lambda principal, group: _assign(request, principal, group),
    }
    deed = DEEDS.get(name) or others.get(name)
    if deed is None:
        raise Http404
    return deed, told[name]


def _silence(request: HttpRequest, principal: Principal, group: AlertGroup) -> None:
    form = SilenceUntilForm(request.POST)
    ends_at = form.ends_at() if form.is_valid() else None
    if ends_at is None or ends_at <= timezone.now():
        raise forms.ValidationError(_("Choose an end that lies in the future."))
    origin = _("Silenced on the page of the group")
    lifecycle.silence_group(principal, group.pk, ends_at, form.cleaned_data["comment"], origin=origin)


def _comment(request: HttpRequest, principal: Principal, group: AlertGroup) -> None:
    form = CommentForm(request.POST)
    if not form.is_valid():
        raise forms.ValidationError(_("Write something first."))
    lifecycle.comment(principal, group.pk, form.cleaned_data["text"])


def _assign(request: HttpRequest, principal: Principal, group: AlertGroup) -> None:
    form = AssignForm(request.POST)
    if not form.is_valid():
        raise forms.ValidationError(_("Choose a member of this tenant."))
    lifecycle.assign(principal, group.pk, form.cleaned_data["person"])
