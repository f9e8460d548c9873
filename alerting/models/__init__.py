"""The tables of the alerting app."""

from alerting.models.alert import Alert, AlertStatus, ResolvedBecause, SeverityLevel
from alerting.models.configuration import (
    AlertingPolicy,
    ConfigurationRevision,
    EnrichmentStep,
    GroupingRule,
    InhibitionRule,
    MaintenanceWindow,
    Route,
    RouteChannel,
    Silence,
)
from alerting.models.group import AlertGroup, GroupStatus, NotificationLog, TimelineEvent, Timer
from alerting.models.health import AuditFinding, AuditTotal, Heartbeat
from alerting.models.intake import IntakeQueue, IntakeRequest, QuarantinedAlert

__all__ = [
    "Alert",
    "AlertGroup",
    "AlertStatus",
    "AlertingPolicy",
    "AuditFinding",
    "AuditTotal",
    "ConfigurationRevision",
    "EnrichmentStep",
    "GroupStatus",
    "GroupingRule",
    "Heartbeat",
    "InhibitionRule",
    "IntakeQueue",
    "IntakeRequest",
    "MaintenanceWindow",
    "NotificationLog",
    "QuarantinedAlert",
    "ResolvedBecause",
    "Route",
    "RouteChannel",
    "SeverityLevel",
    "Silence",
    "TimelineEvent",
    "Timer",
]
