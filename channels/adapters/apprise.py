"""Apprise: the hundred services that its library knows by URL, such as Discord, Telegram or Opsgenie."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.adapters.apprise_client import APPRISE_SECONDS, open_service, tell
from channels.adapters.apprise_urls import fault_of
from channels.adapters.base import Adapter, AdapterCredentials, AdapterSettings, Outgoing, Receipt
from channels.errors import ChannelError, ErrorReason

MAX_URLS, MAX_NAME = 20, 60


class AppriseSettings(AdapterSettings, frozen=True, kw_only=True):
    """`names` say what each of the secret addresses is, in their order; each is told by itself."""

    names: list[str]

    def problems(self) -> dict[str, str]:
        """Check that the names are short and differ."""
        good = all(0 < len(name.strip()) <= MAX_NAME for name in self.names)
        if not good or not 1 <= len(self.names) <= MAX_URLS or len(set(self.names)) != len(self.names):
            return {"names": _("Give one to twenty names that differ, one for each address.")}
        return {}


class AppriseCredentials(AdapterCredentials, frozen=True, kw_only=True):
    """`urls` are addresses as Apprise writes them (discord://..., tgram://...); they hold tokens."""

    urls: list[str]

    def problems(self) -> dict[str, str]:
        """Check that each address is of an allowed service and can be read."""
        if not 1 <= len(self.urls) <= MAX_URLS:
            return {"urls": _("Give one to twenty addresses.")}
        for number, url in enumerate(self.urls, 1):
            if fault := fault_of(url):
                return {"urls": _("Address %(number)d: %(fault)s") % {"number": number, "fault": fault}}
        return {}


AppriseOutgoing = Outgoing[AppriseSettings, AppriseCredentials]


class AppriseAdapter(Adapter[AppriseSettings, AppriseCredentials]):
    """Nothing is known of how a service treats repeats, and none can be asked what it got."""

    kind = "apprise"
    label = gettext_lazy("Apprise")
    Settings = AppriseSettings
    Credentials = AppriseCredentials
    parts = {"title": "line", "text": "text", "html": "html"}
    default_rate_per_minute = 30
    send_timeout = APPRISE_SECONDS

    def recipients(self, settings: AppriseSettings) -> list[str]:
        """Return the names; the addresses themselves are secrets."""
        return list(settings.names)

    def send(self, outgoing: AppriseOutgoing) -> Receipt:
        """Open the service behind the name and tell it."""
        url = _url_of(outgoing)
        service = open_service(url)
        words = {name: outgoing.part(name) for name in self.parts}
        shape = tell(service, words, _tone(outgoing.message.status, outgoing.message.severity))
        return Receipt(provider_id=outgoing.delivery_id, detail={"service": str(service.service_name), "format": shape})


def _url_of(outgoing: Outgoing[Any, Any]) -> str:
    names, urls = outgoing.settings.names, outgoing.credentials.urls
    if outgoing.recipient not in names or len(names) != len(urls):
        raise _mismatch()
    return str(urls[names.index(outgoing.recipient)])


def _mismatch() -> ChannelError:
    detail = _("The channel needs as many names as addresses.")
    return ChannelError(ErrorReason.CLIENT_ERROR, detail, permanent=True)


def _tone(status: str, severity: int) -> str:
    if status == "resolved":
        return "success"
    return "failure" if severity >= 30 else "warning" if severity >= 20 else "info"
