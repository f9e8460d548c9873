"""Says why a button in Slack does nothing: the address, the secret, the people, the last calls and their outcome."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import sending
from channels.errors import ChannelError
from channels.models import CallbackCall, Channel, ChannelIdentity

MAX_CALLS: Final = 20
OUTCOMES: Final[dict[str, str | Promise]] = {
    "ok": gettext_lazy("answered"),
    "done": gettext_lazy("done"),
    "dialog": gettext_lazy("dialog opened"),
    "ignored": gettext_lazy("nothing to do"),
    "no_secret": gettext_lazy("refused: this channel has no signing secret"),
    "not_signed": gettext_lazy("refused: not signed, so not from Slack"),
    "odd_time": gettext_lazy("refused: its time cannot be read"),
    "wrong_secret": gettext_lazy("refused: signed with another secret than this channel has"),
    "too_old": gettext_lazy("refused: older than five minutes, or the clocks differ"),
    "replayed": gettext_lazy("refused: the same call came before"),
    "not_linked": gettext_lazy("the Slack user is not linked to a member"),
    "not_allowed": gettext_lazy("the member's role does not allow it"),
    "forged": gettext_lazy("the button was not made here for this channel"),
    "switched_off": gettext_lazy("the channel is switched off"),
    "conflict": gettext_lazy("the group's state does not allow it"),
    "gone": gettext_lazy("the group is gone"),
    "refused": gettext_lazy("refused"),
    "busy": gettext_lazy("the service was busy"),
    "waiting": gettext_lazy("it is being done"),
    "expired": gettext_lazy("it waited too long and was not done"),
    "failed": gettext_lazy("something broke here"),
}
REFUSALS: Final = frozenset({"no_secret", "not_signed", "odd_time", "wrong_secret", "too_old", "replayed"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    is_good: bool
    words: str


def show_help(request: HttpRequest, channel: Channel, site: Mapping[str, Any]) -> HttpResponse:
    """Draw the page."""
    calls = list(CallbackCall._default_manager.filter(channel=channel)[:MAX_CALLS])
    identities = list(ChannelIdentity._default_manager.filter(channel=channel).select_related("user"))
    context = {
        **site,
        "channel": channel,
        "address": address_of(channel),
        "findings": list(findings(channel, calls, len(identities))),
        "calls": [{"call": call, "words": OUTCOMES.get(call.outcome, call.outcome)} for call in calls],
        "identities": identities,
        "title": _("Why a button does nothing"),
    }
    return render(request, "admin/channels/slack_help.html", context)


def address_of(channel: Channel) -> str:
    """Return what to write at Slack as Request URL of interactivity, of the command and of events."""
    return f"{settings.PUBLIC_BASE_URL}/callbacks/slack/{channel.tenant.slug}/{channel.pk}"


def findings(channel: Channel, calls: list[CallbackCall], linked: int) -> Iterator[Finding]:
    """Return what is right and what is not, in the order in which a call passes."""
    yield _address(settings.PUBLIC_BASE_URL)
    yield _secret(channel)
    yield _arrivals(calls)
    if calls and calls[0].outcome in REFUSALS:
        yield Finding(False, _("The last call: %(why)s.") % {"why": OUTCOMES[calls[0].outcome]})
    if linked:
        yield Finding(True, _("Linked Slack users: %(count)d.") % {"count": linked})
    else:
        yield Finding(False, _("No Slack user is linked yet; the first click is answered with a link."))
    if not channel.is_active:
        yield Finding(False, _("The channel is switched off, so its buttons do nothing."))


def _address(base: str) -> Finding:
    parts = urlsplit(base)
    host = parts.hostname or ""
    if parts.scheme != "https":
        return Finding(False, _("PUBLIC_BASE_URL does not begin with https://; Slack calls nothing else."))
    if _is_inside(host):
        return Finding(False, _("PUBLIC_BASE_URL (%(host)s) cannot be reached from the internet.") % {"host": host})
    return Finding(True, _("The address begins with https:// and is no private one."))


def _is_inside(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost", ".test"))


def _secret(channel: Channel) -> Finding:
    try:
        has_secret = bool(sending.connect(channel).credentials.signing_secret)
    except ChannelError as error:
        return Finding(False, _("The channel's settings do not fit: %(why)s") % {"why": error})
    if has_secret:
        return Finding(True, _("There is a signing secret, so messages have buttons."))
    return Finding(False, _("There is no signing secret, so messages have no buttons: copy it from the app's page."))


def _arrivals(calls: list[CallbackCall]) -> Finding:
    if not calls:
        return Finding(False, _("Slack has never called: write the address below into the app's settings."))
    slowest = max(call.took_ms for call in calls)
    words = _("Slack's calls arrive; the slowest of the last ones took %(ms)d ms of the 3000 it waits.")
    return Finding(slowest < 3000, words % {"ms": slowest})
