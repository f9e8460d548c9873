"""Doors for what providers call us about. Each proves itself by its signature; there is no session and no key."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID
from xml.sax.saxutils import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from alerting.callbacks import pagerduty, sms_gateway, twilio
from channels.callbacks.errors import Malformed, Refused
from channels.callbacks.twilio import read_form
from channels.sms.composing import long_id

MAX_BODY = 256 * 1024


def _taken(door: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer 400 to what cannot be read and 403 to what is not surely theirs, each without details."""
    try:
        return door()
    except Malformed:
        return HttpResponse("malformed\n", status=400, content_type="text/plain")
    except Refused:
        return HttpResponse("refused\n", status=403, content_type="text/plain")


@csrf_exempt
@require_POST
def twilio_status(request: HttpRequest, slug: str, delivery_id: UUID) -> HttpResponse:
    """Take a delivery receipt of Twilio."""

    def door() -> HttpResponse:
        fields = read_form(_body(request))
        twilio.take_status(slug, delivery_id, _own_url(request), fields, _header(request, "X-Twilio-Signature"))
        return HttpResponse(status=204)

    return _taken(door)


@csrf_exempt
@require_POST
def twilio_answer(request: HttpRequest, slug: str, channel_id: UUID | None = None) -> HttpResponse:
    """Take what somebody wrote back; answered in Twilio's markup."""

    def door() -> HttpResponse:
        fields = read_form(_body(request))
        words = twilio.take_answer(slug, channel_id, _own_url(request), fields, _header(request, "X-Twilio-Signature"))
        inner = f"<Message>{escape(words)}</Message>" if words else ""
        markup = f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'
        return HttpResponse(markup, content_type="text/xml; charset=utf-8")

    return _taken(door)


@csrf_exempt
@require_POST
def gateway_receipt(request: HttpRequest, slug: str, channel_id: UUID) -> HttpResponse:
    """Take a delivery receipt of an SMS gateway; 404 asks for it again, for it may come before we know the id."""

    def door() -> HttpResponse:
        outcome = sms_gateway.take_receipt(slug, channel_id, _body(request), request.headers)
        return HttpResponse(f"{outcome}\n", status=404 if outcome == "unknown" else 200, content_type="text/plain")

    return _taken(door)


@csrf_exempt
@require_POST
def gateway_answer(request: HttpRequest, slug: str, channel_id: UUID) -> HttpResponse:
    """Take what somebody wrote back to a gateway; what it may tell them stands in the answer, as plain text."""

    def door() -> HttpResponse:
        words = sms_gateway.take_answer(slug, channel_id, _body(request), request.headers)
        return HttpResponse(words, content_type="text/plain; charset=utf-8")

    return _taken(door)


@csrf_exempt
@require_POST
def pagerduty_event(request: HttpRequest, slug: str, channel_id: UUID | None = None) -> HttpResponse:
    """Take a webhook of PagerDuty; any 2xx keeps it from being sent again."""

    def door() -> HttpResponse:
        outcome = pagerduty.take_event(slug, channel_id, _body(request), _header(request, "X-PagerDuty-Signature"))
        return HttpResponse(f"{outcome}\n", content_type="text/plain")

    return _taken(door)


@require_safe
def short_link(request: HttpRequest, short: str = "") -> HttpResponse:
    """Lead from the short address in an SMS to the page of the group; that page asks who one is."""
    base = "/admin/alerting/alertgroup/"
    try:
        return HttpResponseRedirect(f"{base}{long_id(short)}/change/" if short else base)
    except ValueError:
        return HttpResponse("not found\n", status=404, content_type="text/plain")


def _own_url(request: HttpRequest) -> str:
    """The address as the provider was given it: the public base, whatever the Host header says."""
    return f"{settings.PUBLIC_BASE_URL}{request.get_full_path()}"


def _body(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not str(length).isdigit() or int(length) > MAX_BODY:
        raise Malformed("too long")
    return request.body


def _header(request: HttpRequest, name: str) -> str:
    return request.headers.get(name) or ""


urlpatterns = [
    path("callbacks/twilio/<slug:slug>/status/<uuid:delivery_id>", twilio_status, name="twilio-status"),
    path("callbacks/twilio/<slug:slug>/answers", twilio_answer, name="twilio-answer-any"),
    path("callbacks/twilio/<slug:slug>/answers/<uuid:channel_id>", twilio_answer, name="twilio-answer"),
    path("callbacks/sms/<slug:slug>/<uuid:channel_id>", gateway_receipt, name="sms-receipt"),
    path("callbacks/sms/<slug:slug>/<uuid:channel_id>/answers", gateway_answer, name="sms-answer"),
    path("callbacks/pagerduty/<slug:slug>", pagerduty_event, name="pagerduty-event-any"),
    path("callbacks/pagerduty/<slug:slug>/<uuid:channel_id>", pagerduty_event, name="pagerduty-event"),
    path("g/", short_link, name="short-link-all"),
    path("g/<str:short>", short_link, name="short-link"),
]
