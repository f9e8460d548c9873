"""What the scopes of an API key allow."""

from typing import Final

SCOPES: Final[dict[str, frozenset[str]]] = {
    "alerts:write": frozenset({"send_alerts"}),
    "metrics:write": frozenset({"send_metrics"}),
    "alerts:read": frozenset({"view_alerts"}),
    "alerts:act": frozenset({"act_on_alerts"}),
    "config:read": frozenset({"view_configuration"}),
    "config:write": frozenset({"view_configuration", "change_configuration"}),
    "deliveries:replay": frozenset({"replay_deliveries"}),
    "audit:read": frozenset({"view_audit"}),
}


def scopes_for(permission: str) -> list[str]:
    """The scopes that hold a permission; none where only people may do it."""
    return [scope for scope, permissions in SCOPES.items() if permission in permissions]
