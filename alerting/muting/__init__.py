"""Three ways to mute an alert (silence, inhibition, maintenance window); each leaves its reason."""

from alerting.muting.inhibition import FiringSources, InhibitionRule, Inhibitor
from alerting.muting.maintenance import MaintenanceWindow, MaintenanceWindows, WindowError
from alerting.muting.reasons import Muted, MuteKind, NearMiss
from alerting.muting.silences import Silence, Silences, SilenceState, state_of

__all__ = [
    "FiringSources",
    "InhibitionRule",
    "Inhibitor",
    "MaintenanceWindow",
    "MaintenanceWindows",
    "MuteKind",
    "Muted",
    "NearMiss",
    "Silence",
    "SilenceState",
    "Silences",
    "WindowError",
    "state_of",
]
