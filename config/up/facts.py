"""What `make up` tells people on the terminal and scripts in var/up.json."""

import json
from typing import Any

from config.up import keys
from config.up.stack import Stack

PROGRAMS = ("web", "relay", "worker", "notifier", "analyst", "beat", "postgres", "valkey")
EXAMPLE = {
    "labels": {"alertname": "DiskFull", "host": "web-1", "service": "shop"},
    "severity": "critical",
    "annotations": {"summary": "The disk of web-1 is 97 % full"},
}


def facts(stack: Stack, demo: dict[str, str], pids: dict[str, int]) -> dict[str, Any]:
    """Return what scripts need; a server that was given by its address has no process id."""
    return {
        "admin_url": f"{stack.url}/admin/",
        "admin_user": demo["admin_user"],
        "admin_password": demo["admin_password"],
        "api_url": f"{stack.url}/api/v1",
        "api_key": demo["api_key"],
        "inbox_url": f"{stack.inbox_url}/",
        "tenant": demo["tenant"],
        "pids": {name: pids.get(name) for name in PROGRAMS},
    }


def write(stack: Stack, demo: dict[str, str], pids: dict[str, int]) -> None:
    """Write var/up.json whole or not at all; it holds a key and a password, so only its owner reads it."""
    keys.write_private(stack.layout.facts, json.dumps(facts(stack, demo, pids), indent=2) + "\n")


def banner(stack: Stack, demo: dict[str, str], seconds: float) -> str:
    """Return what to do next, ready to be copied."""
    return f"""
  Ready after {seconds:.1f} s. Ctrl-C stops everything.

  Admin   {stack.url}/admin/   user {demo["admin_user"]}   password {demo["admin_password"]}
  API     {stack.url}/api/v1   (documentation: {stack.url}/api/v1/docs)
  Inbox   {stack.inbox_url}/   shows what arrived by Slack, e-mail, SMS, PagerDuty and webhook

  Send an alert:

    {curl(stack, demo)}
"""


def curl(stack: Stack, demo: dict[str, str]) -> str:
    """Return a command that sends one alert with the demo tenant's key."""
    return (
        f"curl -sS {stack.url}/api/v1/alerts -H 'Authorization: Api-Key {demo['api_key']}'"
        f" -H 'Content-Type: application/json' -d '{json.dumps(EXAMPLE)}'"
    )
