"""Draws an SMS as a phone shows it and an incident as PagerDuty lists it, with buttons that answer."""

from __future__ import annotations

import json
import re
from html import escape

from config.inbox.store import Item
from tests.fakes.pagerduty import Incident
from tests.fakes.twilio import GSM, TwilioMessage

LINK = re.compile(r"https?://[^\s<>\"&]+")
ANSWERS = (("ACK", "ACK"), ("RES", "RES"), ("STOP", "STOP"), ("START", "START"))
ACTS = {
    "triggered": (("acknowledge", "Acknowledge"), ("resolve", "Resolve")),
    "acknowledged": (("unacknowledge", "Unacknowledge"), ("resolve", "Resolve")),
}


def draw_sms(item: Item) -> str:
    """Return the bubble with sender, segments and state, and the answers of one press."""
    message: TwilioMessage = item.detail["message"]
    encoding = "GSM-7" if set(message.body) <= GSM | set("^{}\\[~]|€\f") else "UCS-2"
    segments = f"{message.segments} segment{'' if message.segments == 1 else 's'}"
    return (
        f'<div class="bubble">{_linked(message.body)}</div>'
        f'<p class="small">from {escape(message.sender)} &middot; {segments}, {encoding} &middot; '
        f"{escape(message.status)}</p>"
        f'<div class="acts">{"".join(_button("/answer", item, "text", value, label) for value, label in ANSWERS)}</div>'
    )


def draw_incident(item: Item) -> str:
    """Return an event with the incident as it is now, or a change event."""
    if item.detail["action"] == "change":
        return _draw_card(item.detail["event"], "change", "change event", "")
    incident: Incident = item.detail["incident"]
    tone = "over" if incident.status == "resolved" else str(incident.payload.get("severity", ""))
    acts = ACTS.get(incident.status, ())
    buttons = "".join(_button("/act", item, "what", what, label) for what, label in acts)
    said = f"{item.detail['action']} \u2192 {incident.status}"
    return _draw_card(incident.event, tone, said, f'<div class="acts">{buttons}</div>')


def _draw_card(event: dict[str, object], tone: str, state: str, buttons: str) -> str:
    payload = event.get("payload")
    shown: dict[str, object] = payload if isinstance(payload, dict) else {}
    facts = " \u00b7 ".join(
        escape(str(shown[name])) for name in ("severity", "source", "component", "group", "class") if shown.get(name)
    )
    links = event.get("links")
    listed = links if isinstance(links, list) else []
    drawn = " ".join(
        f"<span>{escape(str(link.get('text', '')))}: {_linked(str(link['href']))}</span>" for link in listed
    )
    source = escape(json.dumps({**event, "routing_key": "..."}, indent=2, ensure_ascii=False))
    return (
        f'<div class="incident {escape(tone)}"><h2>{escape(str(shown.get("summary", "")))}</h2>'
        f'<p><span class="badge">{escape(state)}</span> {facts}</p><p class="small">{drawn}</p>{buttons}</div>'
        f"<details><summary>Event</summary><pre>{source}</pre></details>"
    )


def _button(path: str, item: Item, name: str, value: str, label: str) -> str:
    return (
        f'<form method="post" action="{path}"><input type="hidden" name="number" value="{item.number}">'
        f'<button name="{name}" value="{escape(value)}">{escape(label)}</button></form>'
    )


def _linked(text: str) -> str:
    drawn = escape(text)
    return LINK.sub(lambda found: f'<a href="{found[0]}" rel="noreferrer">{found[0]}</a>', drawn)
