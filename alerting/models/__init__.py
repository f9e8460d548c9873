"""The tables of the alerting app."""

from alerting.models.alert import Alert, AlertStatus, ResolvedBecause, SeverityLevel
from alerting.models.assistant import LanguageModel
from alerting.models.configuration import (
    AlertingPolicy,
    ConfigurationRevision,
    EnrichmentStep,
    GroupingRule,
    InhibitionRule,
    MaintenanceWindow,
    Route,
    RouteChannel,
    Scoring,
    Silence,
)
from alerting.models.escalation import (
    Escalation,
    EscalationNotice,
    EscalationPolicy,
    EscalationState,
    NoticeState,
)
from alerting.models.group import AlertGroup, GroupStatus, NotificationLog, TimelineEvent, Timer
from alerting.models.health import AuditFinding, AuditTotal, Heartbeat
from alerting.models.intake import IntakeQueue, IntakeRequest, QuarantinedAlert
from alerting.models.oncall import (
    ContactMethod,
    Importance,
    NotificationRule,
    OnCallSchedule,
    ScheduleOverride,
    ScheduleState,
)
from alerting.models.scoring import ScoringModel
from alerting.models.slack import SlackAct

__all__ = [
    "Alert",
    "AlertGroup",
    "AlertStatus",
    "AlertingPolicy",
    "AuditFinding",
    "AuditTotal",
    "ConfigurationRevision",
    "ContactMethod",
    "EnrichmentStep",
    "Escalation",
    "EscalationNotice",
    "EscalationPolicy",
    "EscalationState",
    "GroupStatus",
    "GroupingRule",
    "Heartbeat",
    "Importance",
    "InhibitionRule",
    "IntakeQueue",
    "IntakeRequest",
    "LanguageModel",
    "MaintenanceWindow",
    "NoticeState",
    "NotificationLog",
    "NotificationRule",
    "OnCallSchedule",
    "QuarantinedAlert",
    "ResolvedBecause",
    "Route",
    "RouteChannel",
    "ScheduleOverride",
    "ScheduleState",
    "Scoring",
    "ScoringModel",
    "SeverityLevel",
    "Silence",
    "SlackAct",
    "TimelineEvent",
    "Timer",
]
