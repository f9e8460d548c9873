"""Plays Slack's part: presses buttons, fills dialogs and tells the service, signed as Slack signs."""

from __future__ import annotations

import itertools
import json
import os
import re
import threading
import time
from html import escape, unescape
from typing import Any
from urllib.parse import parse_qsl

from config.inbox.callers import post
from config.inbox.style import STYLE
from tests.fakes.http import Request
from tests.fakes.slack import FakeSlack, SlackMessage, interaction

USER = {"id": "U0INBOX", "username": "inbox"}
ORIGIN = re.compile(r"https?://[^/\s\"]+(?=/admin/)")
LINK = re.compile(r"<https?://[^|>]*\|([^>]*)>")
WAIT_SECONDS = 0.1


def signing_secret() -> str:
    """The secret that the demo's Slack channel has."""
    return os.environ.get("INBOX_SLACK_SECRET") or "developmentinbox"


class SlackPlayer:
    """Knows what was answered to each click, and which dialog it opened."""

    def __init__(self, slack: FakeSlack, own_url: str) -> None:
        self._slack = slack
        self._own_url = own_url
        self._numbers = itertools.count(1)
        self._said: dict[str, str] = {}
        self._lock = threading.Lock()

    def take_answer(self, request: Request) -> None:
        """Keep what the service told the person who clicked."""
        words = str(json.loads(request.body or b"{}").get("text", ""))
        with self._lock:
            self._said[request.path.rpartition("/")[2]] = words

    def press(self, message: SlackMessage, value: str) -> tuple[str, str]:
        """Click; return what was answered and the page of the dialog that opened, if one did."""
        number = str(next(self._numbers))
        opened = len(self._slack.views)
        payload = {
            "type": "block_actions",
            "user": USER,
            "trigger_id": number,
            "actions": [{"action_id": "act", "value": value}],
            "response_url": f"{self._own_url}/slack/answers/{number}",
        }
        status = self._call(message, payload)
        if len(self._slack.views) > opened:
            return "", draw_dialog(self._slack.views[-1], message)
        time.sleep(WAIT_SECONDS)
        with self._lock:
            return self._said.pop(number, status), ""

    def submit(self, message: SlackMessage, form: dict[str, str]) -> str:
        """Send what was written into a dialog."""
        chosen = form.get("until", "")
        answer: dict[str, Any] = {"type": "plain_text_input", "value": form.get("text")}
        if chosen:
            answer = {"type": "datetimepicker", "selected_date_time": int(chosen) if chosen.isdigit() else 0}
        state = {"values": {"answer": {"x": answer}}}
        view = {"private_metadata": form.get("value", ""), "state": state, "id": f"V{next(self._numbers)}"}
        payload = {"type": "view_submission", "user": USER, "view": view, "trigger_id": str(time.time())}
        said = self._call(message, payload)
        errors = json.loads(said).get("errors", {}) if said.startswith("{") else {}
        return str(errors.get("answer", said or "Done."))

    def command(self, text: str) -> str:
        """Type `/alerts` into the channel of the newest message; return what only its writer sees."""
        place = next((found for message in reversed(self._slack.messages) if (found := callback_url(message))), "")
        if not place:
            return "No message of the service has arrived yet, so nobody knows where it takes commands."
        number = next(self._numbers)
        fields = {"command": "/alerts", "text": text, "user_id": USER["id"], "user_name": USER["username"]}
        fields |= {"trigger_id": f"{number}.{time.time()}", "response_url": f"{self._own_url}/slack/answers/{number}"}
        said = post(place, *interaction(signing_secret(), fields, command=True))
        words = str(json.loads(said).get("text", "")) if said.startswith("{") else said
        return unescape(LINK.sub(r"\1", words))

    def _call(self, message: SlackMessage, payload: dict[str, Any]) -> str:
        place = callback_url(message)
        if not place:
            return "The message does not name the service."
        body, headers = interaction(signing_secret(), payload)
        return post(place, body, headers)


def callback_url(message: SlackMessage) -> str:
    """Where the service takes Slack's calls; at Slack this stands in the app's settings."""
    found = ORIGIN.search(json.dumps(message.attachments))
    payload = message.metadata.get("event_payload", {})
    if found is None or not payload.get("tenant"):
        return ""
    return f"{found[0]}/callbacks/slack/{payload['tenant']}/{payload['channel_id']}"


def draw_dialog(view: dict[str, Any], message: SlackMessage) -> str:
    """Return a page with the dialog's one question."""
    block = view["blocks"][0]
    element = block["element"]
    if element["type"] == "datetimepicker":
        soon = int(element.get("initial_date_time", time.time() + 3600))
        choices = "".join(
            f'<option value="{soon + hours * 3600}">{time.strftime("%a %H:%M UTC", time.gmtime(soon + hours * 3600))}'
            "</option>"
            for hours in range(24)
        )
        field = f'<select name="until">{choices}</select>'
    else:
        field = '<textarea name="text" rows="4" required autofocus></textarea>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Slack</title>'
        f'<style>{STYLE}</style></head><body><main><form class="dialog" method="post" action="/slack/submit">'
        f"<h2>{escape(view['title']['text'])}</h2><label>{escape(block['label']['text'])}{field}</label>"
        f'<input type="hidden" name="value" value="{escape(view["private_metadata"])}">'
        f'<input type="hidden" name="ts" value="{escape(message.ts)}">'
        f'<p class="actions"><a class="button" href="/">{escape(view["close"]["text"])}</a>'
        f'<button class="button primary">{escape(view["submit"]["text"])}</button></p></form></main></body></html>'
    )


def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form."""
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))
