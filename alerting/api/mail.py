"""Pages that links in mails lead to, and the door for a mail provider's news about bounces and complaints."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alerting import feedback, lifecycle
from alerting.callbacks.mail_readers import channel_of, known, principal_of
from alerting.lifecycle import IllegalStep
from alerting.models import AlertGroup
from channels import sending
from channels.errors import ChannelError
from channels.languages.readers import NOBODY, audience
from channels.mail import links, opening, pausing
from channels.mail.news import Malformed, NotTheirs, read_news, why_paused
from channels.models import Channel, PausedAddress
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.principal import Principal

TEMPLATE = "channels/mail_link.html"


class Visit(NamedTuple):
    """Somebody with a good link: who, where, and in whose name."""

    claim: links.Claim
    tenant: Tenant
    channel: Channel
    principal: Principal

    @property
    def locale(self) -> str:
        """The reader's language, as in the mail that led here."""
        who = self.claim.recipient.lower()
        return audience([who]).readers.get(who, NOBODY).locale or self.channel.locale or self.tenant.locale


Page = Callable[[HttpRequest, Visit], HttpResponse]


def leads_to(purpose: str) -> Callable[[Page], Callable[[HttpRequest, str], HttpResponse]]:
    """Make a page for those whose link has this purpose: in their tenant, and in the language of their mails."""

    def door(page: Page) -> Callable[[HttpRequest, str], HttpResponse]:
        @csrf_exempt
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(page)
        def view(request: HttpRequest, token: str) -> HttpResponse:
            claim, tenant = _claim_of(token, purpose)
            if claim is None or tenant is None:
                return _gone(request)
            with tenant_context(tenant.pk):
                visit = _visit(claim, tenant)
                if visit is None:
                    return _page(request, 410, fault=_("This address is not written to any more."))
                with translation.override(visit.locale):
                    return page(request, visit)

        return view

    return door


@leads_to(links.ACKNOWLEDGE)
def acknowledge(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the group and a button; only pressing it acknowledges, for scanners open every link of a mail."""
    group = _group_of(visit)
    if group is None:
        return _gone(request)
    if request.method != "POST":
        return _page(request, group=group, recipient=visit.claim.recipient, button=_("Acknowledge"))
    try:
        lifecycle.acknowledge(visit.principal, group.pk, "e-mail")
    except IllegalStep as error:
        return _page(request, 409, group=group, fault=str(error))
    except PermissionDenied:
        return _page(request, 403, group=group, fault=_("Your role does not let you act on alerts."))
    return _page(request, group=group, done=_("Acknowledged. Everybody who is told will see it."))


@leads_to(links.JUDGE)
def judge(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask what the finding behind a group was worth; only a POST says it, for scanners open every link of a mail."""
    group = _group_of(visit)
    if group is None:
        return _gone(request)
    verdict = request.POST.get("verdict", "") if request.method == "POST" else ""
    if verdict not in feedback.VERDICTS:
        return _page(request, group=group, recipient=visit.claim.recipient, choices=_verdicts(request))
    try:
        done = feedback.give(visit.principal, group.pk, verdict)
    except PermissionDenied:
        return _page(request, 403, group=group, fault=_("Your role does not let you act on alerts."))
    except feedback.NothingToJudge as error:
        return _page(request, 409, group=group, fault=str(error))
    return _page(request, group=group, done=done)


def _verdicts(request: HttpRequest) -> list[tuple[str, str]]:
    """The buttons, the one whose link was followed first."""
    titles = [(feedback.USEFUL, _("Useful")), (feedback.NOISE, _("Noise"))]
    return sorted(titles, key=lambda one: one[0] != request.GET.get("as"))


@leads_to(links.UNSUBSCRIBE)
def unsubscribe(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show a button; a POST, also the one-click one of mail programs (RFC 8058), stops mail to the address."""
    if request.method != "POST":
        return _page(request, recipient=visit.claim.recipient, button=_("Send me no more alerts"))
    pausing.pause(visit.claim.recipient, PausedAddress.Why.UNSUBSCRIBED, "", visit.principal)
    return _page(request, done=_("No more alerts are sent to this address. Your team can see that."))


@leads_to(links.CONSENT)
def consent(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask a reader whether the team may see when they open mails, or let them take that back; a POST decides."""
    wording = _(
        "May %(tenant)s see when you open its alert mails? Only the time is kept, nothing else, and you can"
        " take this back at any time by the link in each mail; then what was kept is deleted."
    ) % {"tenant": visit.tenant.name or visit.tenant.slug}
    held = opening.has_consent(visit.claim.recipient)
    if request.method != "POST":
        button = _("Take it back") if held else _("Yes, they may")
        note = _("You agreed to this:") + " " + wording if held else wording
        return _page(request, recipient=visit.claim.recipient, note=note, button=button, asked=not held)
    # The form says what was asked, so that pressing an old page's button twice does not undo the first.
    if request.POST.get("agree") == "yes":
        opening.give(visit.principal, visit.claim.recipient, wording)
        return _page(request, done=_("Thank you. The team sees from now on when you open its mails."))
    opening.withdraw(visit.principal, visit.claim.recipient)
    return _page(request, done=_("Taken back. What was kept is deleted."))


@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """Answer the pixel; keep the time of a first opening while its reader's consent holds. Always the same picture."""
    claim, tenant = _claim_of(token, links.OPENED)
    if claim is not None and tenant is not None and request.method == "GET":
        with suppress(ValueError), tenant_context(tenant.pk):
            opening.record(UUID(claim.about), claim.recipient)
    return HttpResponse(opening.PIXEL, content_type="image/gif", headers={"Cache-Control": "no-store, private"})


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
        if channel is None or line is None:
            return _refused()
        provider, held = line.settings.provider, line.credentials
        try:
            events = read_news(request, provider, secret=held.webhook_secret, signing_key=held.signing_key)
        except NotTheirs:
            return _refused()
        except Malformed:
            return HttpResponse("malformed\n", status=400, content_type="text/plain")
        bad = {str(one.recipient or "").lower(): one for one in events if why_paused(provider, one) is not None}
        for address in known(channel, bad):
            event, why = bad[address], why_paused(provider, bad[address])
            if why is not None:
                pausing.pause(address, why, str(event.description or event.reject_reason or ""))
    return HttpResponse(status=200)


def _claim_of(token: str, purpose: str) -> tuple[links.Claim | None, Tenant | None]:
    claim = links.read_claim(token, purpose)
    return claim, Tenant.objects.filter(slug=claim.slug).first() if claim else None


def _visit(claim: links.Claim, tenant: Tenant) -> Visit | None:
    channel = channel_of(claim)
    principal = principal_of(tenant, channel, claim) if channel is not None else None
    return Visit(claim, tenant, channel, principal) if channel is not None and principal is not None else None


def _group_of(visit: Visit) -> AlertGroup | None:
    return AlertGroup._default_manager.filter(pk=visit.claim.about).first()


def _refused() -> HttpResponse:
    return HttpResponse("refused\n", status=401, content_type="text/plain")


def _gone(request: HttpRequest) -> HttpResponse:
    return _page(request, 410, fault=_("This link is not valid any more."))


def _page(request: HttpRequest, status: int = 200, **context: object) -> HttpResponse:
    response = render(request, TEMPLATE, context, status=status)
    # The token stands in the address.
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


urlpatterns = [
    path("mail/acknowledge/<str:token>", acknowledge, name="mail-acknowledge"),
    path("mail/judge/<str:token>", judge, name="mail-judge"),
    path("mail/unsubscribe/<str:token>", unsubscribe, name="mail-unsubscribe"),
    path("mail/consent/<str:token>", consent, name="mail-consent"),
    path("mail/opened/<str:token>", opened, name="mail-opened"),
    path("callbacks/mail/<slug:slug>/<uuid:channel_id>", provider_news, name="mail-news"),
]
