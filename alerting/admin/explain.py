"""The page that explains: pick an alert or write one, and read every decision about it."""

import json
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from alerting.admin import explain_drawing as drawing
from alerting.decoding import limits
from alerting.explain import Explanation, explain, explain_alert, explain_group, is_near
from alerting.explain.recall import as_sent
from alerting.models import Alert
from tenants.admin.actor import can, principal_of

RECENT: Final = 30
EXAMPLE: Final = {
    "labels": {"alertname": "DiskFull", "service": "db", "region": "eu-west-2"},
    "annotations": {"summary": "The disk of db-1 is 96 % full"},
    "severity": "critical",
}


class ExplainForm(forms.Form):
    """An alert in the native form, and when it is thought to come in."""

    alert = forms.CharField(
        label=gettext_lazy("alert"),
        max_length=limits.MAX_BODY_BYTES // 4,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "class": "al-code", "spellcheck": "false"}),
    )
    at = forms.DateTimeField(
        label=gettext_lazy("as if it came in at"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "class": "al-input"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean_at(self) -> datetime | None:
        """Refuse times nothing can be worked out for."""
        at: datetime | None = self.cleaned_data["at"]
        if at is not None and not is_near(at):
            raise ValidationError(_("Give a time at most a year away."))
        return at


def explain_page(site: Any, request: HttpRequest) -> HttpResponse:
    """Show the form and, where something was asked, the story."""
    if not can(request, "view_alerts"):
        raise PermissionDenied
    known = _known(request)
    form = ExplainForm(request.POST if request.method == "POST" else None, initial={"alert": _text(known)})
    told = _told(request, form, known)
    context = {
        **site.each_context(request),
        "title": _("Explain"),
        "form": form,
        "recent": Alert.objects.order_by("-changed_at", "-id")[:RECENT],
        "known": known,
        "is_now": request.method == "POST" or "now" in request.GET,
        **(_story(told) if told is not None else {}),
    }
    request.current_app = site.name
    return TemplateResponse(request, "admin/alerting/explain.html", context)


def _known(request: HttpRequest) -> Alert | None:
    """The alert of the address; one that is not here does not exist."""
    wanted = request.GET.get("alert", "")
    if not wanted:
        return None
    found = Alert.objects.filter(pk=_identifier(wanted)).first()
    if found is None:
        raise Http404
    return found


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def _text(known: Alert | None) -> str:
    return json.dumps(EXAMPLE if known is None else as_sent(known), indent=2, ensure_ascii=False)


def _told(request: HttpRequest, form: ExplainForm, known: Alert | None) -> Explanation | None:
    tenant_id = principal_of(request).tenant_id
    if request.method == "POST":
        if not form.is_valid():
            return None
        body = form.cleaned_data["alert"].encode("utf-8", "replace")
        return explain(tenant_id, body, form.cleaned_data["at"])
    if known is not None:
        if "now" in request.GET:
            return explain(tenant_id, as_sent(known))
        return explain_alert(tenant_id, known.pk)
    if group := request.GET.get("group", ""):
        told = explain_group(tenant_id, _identifier(group))
        if told is None:
            raise Http404
        return told
    return None


def _story(told: Explanation) -> dict[str, Any]:
    destinations = [(one, drawing.channel_icon(one.kind), *drawing.told_chip(one)) for one in told.destinations]
    return {
        "told": told,
        "summary_icon": drawing.SUMMARY_ICONS.get(told.verdict, "info"),
        "summary_tone": drawing.TONES[told.verdict],
        "steps": drawing.steps(told),
        "destinations": destinations,
        "messages_drawn": drawing.messages(told.messages),
        "signs": drawing.SIGNS,
        "tones": drawing.TONES,
    }
