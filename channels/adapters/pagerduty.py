"""PagerDuty: opens, acknowledges and resolves incidents through the Events API v2."""

from __future__ import annotations

import re
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.adapters.base import Adapter, AdapterCredentials, AdapterSettings, Outgoing, Receipt
from channels.adapters.pagerduty_client import connect
from channels.adapters.pagerduty_event import build_change, build_trigger, dedup_key
from channels.message import Message

ROUTING_KEY = re.compile(r"[A-Za-z0-9]{32}")
MIN_SECRET, MAX_SECRETS, MAX_NAME = 16, 4, 120
INFO = 10


class PagerDutySettings(AdapterSettings, frozen=True, kw_only=True):
    """`info_as` change tells what is only for information as change events, which wake nobody.

    `source`, `component` and `event_class` stand in the incident; left empty they come from labels.
    `act_on_groups` lets what people do in PagerDuty (by its webhooks) be done to our groups.
    """

    region: Literal["us", "eu"] = "us"
    info_as: Literal["incident", "change"] = "incident"
    source: str = ""
    component: str = ""
    event_class: str = ""
    act_on_groups: bool = True

    def problems(self) -> dict[str, str]:
        """Check that the names are short."""
        for name in ("source", "component", "event_class"):
            if len(getattr(self, name)) > MAX_NAME:
                return {name: _("At most 120 characters.")}
        return {}


class PagerDutyCredentials(AdapterCredentials, frozen=True, kw_only=True):
    """`routing_key` is the integration key of a service; `webhook_secrets` are those of its v3 webhooks."""

    routing_key: str
    webhook_secrets: list[str] = []

    def problems(self) -> dict[str, str]:
        """Check the forms; whether they are right only PagerDuty knows."""
        found = {}
        if not ROUTING_KEY.fullmatch(self.routing_key):
            found["routing_key"] = _("An integration key is 32 letters and digits.")
        good = all(len(one) >= MIN_SECRET and one.isascii() and one.isprintable() for one in self.webhook_secrets)
        if not good or len(self.webhook_secrets) > MAX_SECRETS:
            found["webhook_secrets"] = _("Give at most four secrets as PagerDuty shows them.")
        return found


PagerDutyOutgoing = Outgoing[PagerDutySettings, PagerDutyCredentials]


class PagerDutyAdapter(Adapter[PagerDutySettings, PagerDutyCredentials]):
    """The dedup_key names tenant and group, so a second send of an event changes nothing at PagerDuty."""

    kind = "pagerduty"
    label = gettext_lazy("PagerDuty")
    Settings = PagerDutySettings
    Credentials = PagerDutyCredentials
    parts = {"summary": "line"}
    idempotent = True
    wants_status = True
    default_rate_per_minute = 240

    def recipients(self, settings: PagerDutySettings) -> list[str]:
        """Return the one service behind the key, which is a secret and so has no name here."""
        return ["service"]

    def send(self, outgoing: PagerDutyOutgoing) -> Receipt:
        """Send the event that the message's status calls for; PagerDuty answers 202 once it is stored."""
        client = connect(outgoing.credentials.routing_key, outgoing.settings.region, self.send_timeout)
        message, key = outgoing.message, dedup_key(outgoing.message, outgoing.delivery_id)
        with client:
            if _is_change(outgoing):
                client.send_change_event(**build_change(outgoing))
                return Receipt(provider_id=outgoing.delivery_id, detail={"action": "change"})
            action = action_for(message)
            if action == "trigger":
                client.send_event("trigger", dedup_key=key, **build_trigger(outgoing))
            else:
                client.send_event(action, dedup_key=key)
        return Receipt(provider_id=key, detail={"action": action})


def action_for(message: Message) -> str:
    """Return what PagerDuty is asked to do."""
    return {"resolved": "resolve", "acknowledged": "acknowledge"}.get(message.status, "trigger")


def _is_change(outgoing: PagerDutyOutgoing) -> bool:
    message = outgoing.message
    if message.kind == "change":
        return True
    return outgoing.settings.info_as == "change" and message.kind != "test" and message.severity <= INFO
