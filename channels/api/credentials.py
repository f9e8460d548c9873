"""What doors of rows with a kind do with secrets before they store them."""

import json
from typing import Any

from rest_framework import serializers

from channels.kinds import KindRegistry
from channels.validation import moved_credentials_fault


def take_credentials(known: KindRegistry[Any], instance: Any, values: dict[str, Any]) -> None:
    """Put given credentials into the form they are stored in; refuse to tell stored ones to another place."""
    if "credentials" in values:
        values["credentials"] = json.dumps(values["credentials"])
        return
    before = None if instance._state.adding else instance
    kind, settings = values.get("kind", instance.kind), values.get("settings", instance.settings)
    if fault := moved_credentials_fault(known, before, kind, settings):
        raise serializers.ValidationError({"credentials": [fault]})
