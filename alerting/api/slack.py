"""Doors for Slack: its signed calls, and the page where a person says which Slack user they are."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from alerting.admin.site import site
from alerting.callbacks import slack
from alerting.callbacks.slack import Incoming
from channels.callbacks.errors import Malformed, Refused
from channels.models import Channel, ChannelIdentity
from channels.slack.linking import Claim, read_claim
from tenants.access import member_principal
from tenants.audit import record
from tenants.context import tenant_context
from tenants.models import Tenant, User

MAX_BODY = 256 * 1024
TEMPLATE = "channels/slack_link.html"


@csrf_exempt
@require_POST
def slack_call(request: HttpRequest, slug: str, channel_id: UUID) -> HttpResponse:
    """Take a click, a command, a dialog's answer or an event; refuse what is not surely Slack's with 401."""
    try:
        answer = slack.take_call(slug, channel_id, _incoming(request))
    except Malformed:
        return HttpResponse("malformed\n", status=400, content_type="text/plain")
    except Refused:
        return HttpResponse("refused\n", status=401, content_type="text/plain")
    return JsonResponse(answer) if answer is not None else HttpResponse(b"")


@login_required(login_url=reverse_lazy("admin:login"))
@require_http_methods(["GET", "POST"])
def slack_link(request: HttpRequest) -> HttpResponse:
    """Show whom the link would make the person in Slack; only their own click on the page does it."""
    claim = read_claim(request.POST.get("token") or request.GET.get("token") or "")
    user = request.user
    tenant = Tenant.objects.filter(slug=claim.slug).first() if claim else None
    if claim is None or tenant is None or not isinstance(user, User):
        return _page(request, fault=_("This link is not valid any more. Click the button in Slack once more."))
    if member_principal(user, tenant, None) is None:
        return _page(request, fault=_("You are not a member of this tenant, so you cannot act in it from Slack."))
    if request.method == "POST":
        is_linked = _link(user, tenant, claim)
        fault = "" if is_linked else _("This channel is gone.")
        return _page(request, is_done=is_linked, claim=claim, tenant=tenant, fault=fault)
    return _page(request, claim=claim, tenant=tenant, token=request.GET.get("token"))


def _link(user: User, tenant: Tenant, claim: Claim) -> bool:
    principal = member_principal(user, tenant, None)
    with tenant_context(tenant.pk):
        channel = Channel._default_manager.filter(pk=claim.channel_id, kind="slack").first()
        if channel is None or principal is None:
            return False
        identity, _is_new = ChannelIdentity._default_manager.update_or_create(
            channel=channel,
            external_id=claim.user_id,
            defaults={"user": user, "external_name": claim.user_name},
            create_defaults={"user": user, "external_name": claim.user_name, "tenant_id": tenant.pk},
        )
        after = {"channel": channel.name, "slack_user": claim.user_id, "person": user.username}
        record(principal, "channelidentity.linked", identity, after=after)
    return True


def _page(request: HttpRequest, **context: object) -> HttpResponse:
    status = 400 if context.get("fault") else 200
    response = render(request, TEMPLATE, {**site.each_context(request), **context}, status=status)
    # The token stands in the address.
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _incoming(request: HttpRequest) -> Incoming:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not str(length).isdigit() or int(length) > MAX_BODY:
        raise Malformed("too long")
    return Incoming(
        body=request.body,
        content_type=request.headers.get("Content-Type") or "",
        timestamp=request.headers.get("X-Slack-Request-Timestamp") or "",
        signature=request.headers.get("X-Slack-Signature") or "",
    )


urlpatterns = [
    path("callbacks/slack/link", slack_link, name="slack-link"),
    path("callbacks/slack/<slug:slug>/<uuid:channel_id>", slack_call, name="slack-call"),
]
