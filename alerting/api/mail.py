"""Pages that links in mails lead to, and the door for a mail provider's news about bounces and complaints."""

from __future__ import annotations

from uuid import UUID

from anymail.exceptions import AnymailError
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from alerting import lifecycle
from alerting.lifecycle import IllegalStep
from alerting.models import AlertGroup
from channels import sending
from channels.errors import ChannelError
from channels.mail import links, pausing
from channels.mail.providers import PROVIDERS
from channels.models import Channel, PausedAddress
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.principal import Principal

TEMPLATE = "channels/mail_link.html"
WHY = {
    "bounced": PausedAddress.Why.BOUNCED,
    "complained": PausedAddress.Why.COMPLAINED,
    "unsubscribed": PausedAddress.Why.UNSUBSCRIBED,
}


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge(request: HttpRequest, token: str) -> HttpResponse:
    """Show the group and a button; only pressing it acknowledges, for scanners open every link of a mail."""
    claim = links.read_claim(token, links.ACKNOWLEDGE)
    tenant = Tenant.objects.filter(slug=claim.slug).first() if claim else None
    if claim is None or tenant is None:
        return _page(request, 410, fault=_("This link is not valid any more."))
    with tenant_context(tenant.pk):
        channel = _channel_of(claim)
        group = AlertGroup._default_manager.filter(pk=claim.group_id).first()
        if channel is None or group is None:
            return _page(request, 410, fault=_("This link is not valid any more."))
        with translation.override(channel.locale or tenant.locale):
            if request.method != "POST":
                return _page(request, group=group, recipient=claim.recipient, button=_("Acknowledge"))
            try:
                lifecycle.acknowledge(_principal(tenant, claim), group.pk, "e-mail")
            except IllegalStep as error:
                return _page(request, 409, group=group, fault=str(error))
            return _page(request, group=group, done=_("Acknowledged. Everybody who is told will see it."))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button; a POST, also the one-click one of mail programs (RFC 8058), stops mail to the address."""
    claim = links.read_claim(token, links.UNSUBSCRIBE)
    tenant = Tenant.objects.filter(slug=claim.slug).first() if claim else None
    if claim is None or tenant is None:
        return _page(request, 410, fault=_("This link is not valid any more."))
    with tenant_context(tenant.pk):
        channel = _channel_of(claim)
        if channel is None:
            return _page(request, 410, fault=_("This address is not written to any more."))
        with translation.override(channel.locale or tenant.locale):
            if request.method != "POST":
                return _page(request, recipient=claim.recipient, button=_("Send me no more alerts"))
            pausing.pause(claim.recipient, PausedAddress.Why.UNSUBSCRIBED, "", _principal(tenant, claim))
            return _page(request, done=_("No more alerts are sent to this address. Your team can see that."))


@csrf_exempt
@require_POST
def provider_news(request: HttpRequest, slug: str, channel_id: UUID) -> HttpResponse:
    """Take a provider's webhook: pause what bounced for good, complained or unsubscribed."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        return _refused()
    with tenant_context(tenant.pk):
        channel = Channel._default_manager.filter(pk=channel_id, kind="email").first()
        try:
            line = sending.connect(channel) if channel is not None else None
        except ChannelError:
            return _refused()
        if line is None or line.settings.provider not in PROVIDERS or not line.credentials.webhook_secret:
            return _refused()
        view = import_string(PROVIDERS[line.settings.provider][2])(webhook_secret=line.credentials.webhook_secret)
        try:
            view.run_validators(request)
            events = view.parse_events(request)
        except (AnymailError, SuspiciousOperation):
            return _refused()
        except (ValueError, KeyError, TypeError, AttributeError):
            return HttpResponse("malformed\n", status=400, content_type="text/plain")
        ours = {address.lower() for address in line.settings.to}
        for event in events:
            why, address = WHY.get(event.event_type), str(event.recipient or "").lower()
            if why is not None and address in ours:
                pausing.pause(address, why, str(event.description or event.reject_reason or ""))
    return HttpResponse(status=200)


def _channel_of(claim: links.Claim) -> Channel | None:
    """Return the channel while the recipient is still one of its readers."""
    channel = Channel._default_manager.filter(pk=claim.channel_id, kind="email", is_active=True).first()
    is_reader = channel is not None and claim.recipient in channel.settings.get("to", [])
    return channel if is_reader else None


def _principal(tenant: Tenant, claim: links.Claim) -> Principal:
    """Who acts by mail: whoever reads an address that a tenant's administrator let us write to."""
    who = claim.recipient
    return Principal("system", f"email:{who}", f"{who} (e-mail)", tenant.pk, frozenset({"act_on_alerts"}))


def _refused() -> HttpResponse:
    return HttpResponse("refused\n", status=401, content_type="text/plain")


def _page(request: HttpRequest, status: int = 200, **context: object) -> HttpResponse:
    response = render(request, TEMPLATE, context, status=status)
    # The token stands in the address.
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


urlpatterns = [
    path("mail/acknowledge/<str:token>", acknowledge, name="mail-acknowledge"),
    path("mail/unsubscribe/<str:token>", unsubscribe, name="mail-unsubscribe"),
    path("callbacks/mail/<slug:slug>/<uuid:channel_id>", provider_news, name="mail-news"),
]
