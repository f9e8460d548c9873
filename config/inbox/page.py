"""Draws the one page of the inbox."""

from __future__ import annotations

import json
from html import escape

from config.inbox.phone_view import draw_incident, draw_sms
from config.inbox.slack_view import draw_message
from config.inbox.store import Item
from config.inbox.style import STYLE

TABS = {"": "All", "slack": "Slack", "email": "E-mail", "sms": "SMS", "pagerduty": "PagerDuty", "webhook": "Webhook"}
# An envelope, in the page itself: nothing else has to be asked for.
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect x='1' y='3' width='14'"
    " height='10' rx='2' fill='%232563eb'/%3E%3Cpath d='M2 5l6 4 6-4' fill='none' stroke='white' stroke-width='1.4'"
    "/%3E%3C/svg%3E"
)
# Slack's slash command, typed into the channel.
COMMAND = (
    '<form class="command" method="post" action="/slack/command"><label for="command">/alerts</label>'
    '<input id="command" name="text" autocomplete="off"><button class="button">Send</button></form>'
)
SIGNATURES = {
    "valid": ("good", "signature valid"),
    "invalid": ("bad", "signature invalid"),
    "missing": ("bad", "not signed"),
    "unchecked": ("plain", "signed, not checked here"),
}


def draw_page(items: list[Item], *, channel: str, total: int, said: str = "") -> str:
    """Return the page with these items, newest first, each as its channel would draw it.

    `said` is what the service answered to the reader's last act.
    """
    answered = f'<p class="said" role="status">{escape(said)}</p>' if said else ""
    command = COMMAND if channel == "slack" and items else ""
    body = "".join(map(_draw_item, items)) or _draw_empty()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Inbox</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="icon" href="{ICON}">'
        f'<style>{STYLE}</style></head><body data-total="{total}"><header><h1>Inbox</h1>'
        f"<nav>{_draw_tabs(channel)}</nav>"
        f'<span class="count">{len(items)} shown, {total} arrived</span>'
        '<form method="post" action="/clear"><button>Clear</button></form></header>'
        f'<main>{answered}{command}{body}</main><script src="/inbox.js" defer></script></body></html>'
    )


def _draw_tabs(current: str) -> str:
    return "".join(
        f'<a href="/?channel={name}"{" aria-current=page" if name == current else ""}>{label}</a>'
        for name, label in TABS.items()
    )


def _draw_empty() -> str:
    return '<p class="empty">Nothing has arrived yet. Send an alert and it shows up here.</p>'


def _draw_item(item: Item) -> str:
    drawers = {
        "slack": _draw_slack,
        "email": _draw_email,
        "webhook": _draw_webhook,
        "sms": draw_sms,
        "pagerduty": draw_incident,
    }
    when = item.at.strftime("%H:%M:%S")
    return (
        f'<article class="{item.channel}" id="m{item.number}"><div class="meta">'
        f'<span class="tag">{escape(TABS[item.channel])}</span><b>{escape(item.to)}</b>'
        f'<time datetime="{item.at.isoformat()}">{when} UTC</time></div>'
        f"{drawers[item.channel](item)}</article>"
    )


def _draw_slack(item: Item) -> str:
    message = item.detail["slack"]
    drawn, source = draw_message(message), [*message.blocks, *message.attachments]
    return (
        '<div class="slackmsg"><div class="avatar">!</div><div class="slackbody">'
        f'<div class="who"><b>Alerts</b> <span>APP</span></div>{drawn}</div></div>'
        f"{_draw_source('Text in notifications and source', message.text, source)}"
    )


def _draw_email(item: Item) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in item.detail["headers"].items())
    frame = (
        f'<iframe sandbox="allow-same-origin" title="HTML part" srcdoc="{escape(item.detail["html"])}"></iframe>'
        if item.detail["html"]
        else f'<pre class="plainmail">{escape(item.text)}</pre>'
    )
    return (
        f"<h2>{escape(item.title)}</h2>{frame}<details><summary>Text part and headers</summary>"
        f"<pre>{escape(item.text)}</pre><pre>{escape(headers)}</pre></details>"
    )


def _draw_webhook(item: Item) -> str:
    state, words = SIGNATURES[item.detail["signature"]]
    headers = {n: v for n, v in item.detail["headers"].items() if n.startswith("webhook-")}
    return (
        f'<p class="signature {state}">{words}</p>'
        f'<pre class="json">{escape(_pretty(item.text))}</pre>'
        f"{_draw_source('Headers', json.dumps(headers, indent=2), None)}"
    )


def _draw_source(label: str, text: str, source: object) -> str:
    shown = f"<pre>{escape(json.dumps(source, indent=2, ensure_ascii=False))}</pre>"
    return f"<details><summary>{escape(label)}</summary><pre>{escape(text)}</pre>{shown if source else ''}</details>"


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
