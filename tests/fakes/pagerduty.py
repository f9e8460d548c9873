"""A fake of PagerDuty's Events API v2 that keeps incidents and refuses what PagerDuty refuses."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.http import Reply, Request
from tests.fakes.pace import Pace

MAX_KEPT, MAX_BODY, MAX_KEY, MAX_SUMMARY = 500, 512 * 1024, 255, 1024
ACTIONS = {"trigger", "acknowledge", "resolve"}
SEVERITIES = {"critical", "error", "warning", "info"}
STATUSES = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}


@dataclass
class Incident:
    """One incident, found by its key while it is open."""

    key: str
    status: str
    payload: dict[str, Any]
    event: dict[str, Any]
    actions: list[str] = field(default_factory=list)


@dataclass
class ScriptedEvent:
    """How the next event goes; `accept` takes it although the answer fails."""

    reply: Reply
    accept: bool = False


class FakePagerDuty:
    """Answers /v2/enqueue and /v2/change/enqueue under `prefix`. With `open_house` any key will do."""

    def __init__(
        self,
        *,
        routing_key: str = "r" * 32,
        open_house: bool = False,
        prefix: str = "",
        on_event: Callable[[Incident, str], None] | None = None,
        on_change: Callable[[dict[str, Any]], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        # PagerDuty counts the events of an integration key.
        self.pace = pace
        self.routing_key, self.open_house, self.prefix = routing_key, open_house, prefix
        self.on_event, self.on_change = on_event, on_change
        self.incidents: list[Incident] = []
        self.changes: deque[dict[str, Any]] = deque(maxlen=MAX_KEPT)
        self.calls: deque[Request] = deque(maxlen=MAX_KEPT)
        self.script: deque[ScriptedEvent] = deque()
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            self.calls.append(request)
            scripted = self.script.popleft() if self.script else None
            if scripted is not None and not scripted.accept:
                return scripted.reply
            reply = self._answer(request)
        return scripted.reply if scripted is not None else reply

    def _answer(self, request: Request) -> Reply:
        path = request.path.removeprefix(self.prefix)
        if request.method != "POST" or path not in {"/v2/enqueue", "/v2/change/enqueue"}:
            return _json(404, {"status": "error", "message": "Not Found"})
        if len(request.body) > MAX_BODY:
            return _json(413, {"status": "error", "message": "Payload too large", "errors": []})
        try:
            event = json.loads(request.body)
        except ValueError:
            return refuse("Event object is invalid", "body is not JSON")
        if not isinstance(event, dict):
            return refuse("Event object is invalid", "body is not an object")
        errors = find_faults(event, is_change=path.startswith("/v2/change"))
        if errors:
            return refuse("Event object is invalid", *errors)
        if event["routing_key"] != self.routing_key and not self.open_house:
            return refuse("Invalid routing key")
        if self.pace and self.pace.wait(event["routing_key"]):
            return _json(429, {"status": "throttle exceeded", "message": "Requests are arriving too quickly."})
        return self._change(event) if path.startswith("/v2/change") else self._event(event)

    def _change(self, event: dict[str, Any]) -> Reply:
        self.changes.append(event)
        if self.on_change is not None:
            self.on_change(event)
        return _json(202, {"status": "success", "message": "Change event processed"})

    def _event(self, event: dict[str, Any]) -> Reply:
        action = event["event_action"]
        key = event.get("dedup_key") or hashlib.md5(json.dumps(event).encode()).hexdigest()
        incident = self.open_incident(key)
        if incident is None and action == "trigger":
            incident = Incident(key, "triggered", event["payload"], event)
            self.incidents.append(incident)
            del self.incidents[:-MAX_KEPT]
        elif incident is not None and action != "trigger":
            incident.status = STATUSES[action]
        if incident is not None:
            incident.actions.append(action)
            if self.on_event is not None:
                self.on_event(incident, action)
        return _json(202, {"status": "success", "message": "Event processed", "dedup_key": key})

    def open_incident(self, key: str) -> Incident | None:
        """Return the incident of that key that is not resolved."""
        return next((one for one in self.incidents if one.key == key and one.status != "resolved"), None)


def find_faults(event: dict[str, Any], *, is_change: bool) -> list[str]:
    """Return what PagerDuty would say against an event."""
    errors = []
    if len(str(event.get("routing_key", ""))) != 32:
        errors.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    if not is_change and event.get("event_action") not in ACTIONS:
        errors.append("'event_action' is missing or invalid")
    key = event.get("dedup_key")
    if key is not None and not (isinstance(key, str) and 1 <= len(key) <= MAX_KEY):
        errors.append("'dedup_key' is invalid (max 255 characters)")
    if not is_change and event.get("event_action") in {"acknowledge", "resolve"}:
        return errors if key else [*errors, "'dedup_key' is missing"]
    return errors + _payload_faults(event.get("payload"), is_change) + _link_faults(event)


def _payload_faults(payload: Any, is_change: bool) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    errors = []
    summary = payload.get("summary")
    if not isinstance(summary, str) or not 1 <= len(summary) <= MAX_SUMMARY:
        errors.append("'payload.summary' is missing, blank or too long")
    if not is_change and not payload.get("source"):
        errors.append("'payload.source' is missing or blank")
    if not is_change and payload.get("severity") not in SEVERITIES:
        errors.append("'payload.severity' is invalid (must be one of critical, warning, error or info)")
    if not isinstance(payload.get("custom_details", {}), dict):
        errors.append("'payload.custom_details' is not an object")
    return errors


def _link_faults(event: dict[str, Any]) -> list[str]:
    links, images = event.get("links", []), event.get("images", [])
    errors = []
    if not all(isinstance(one, dict) and str(one.get("href", "")).startswith("http") for one in links):
        errors.append("'links' is invalid")
    if not all(isinstance(one, dict) and str(one.get("src", "")).startswith("https://") for one in images):
        errors.append("'images' is invalid")
    return errors


def sign(secrets: list[str], body: bytes) -> str:
    """Return the X-PagerDuty-Signature header of a webhook."""
    macs = (hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join(f"v1={mac}" for mac in macs)


def refuse(message: str, *errors: str) -> Reply:
    """Return a 400 as PagerDuty writes it."""
    return _json(400, {"status": "invalid event", "message": message, "errors": list(errors)})


def _json(status: int, answer: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})
