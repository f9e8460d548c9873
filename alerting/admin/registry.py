"""Which model has which page: the one list of the admin."""

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from alerting.admin import oncall
from alerting.admin.alerts import AlertAdmin
from alerting.admin.assistant import LanguageModelAdmin
from alerting.admin.escalation import EscalationPolicyAdmin
from alerting.admin.groups import AlertGroupAdmin
from alerting.admin.quarantine import QuarantinedAlertAdmin
from alerting.admin.routes import RouteAdmin
from alerting.admin.rules import AlertingPolicyAdmin, EnrichmentStepAdmin, GroupingRuleAdmin, InhibitionRuleAdmin
from alerting.admin.silences import SilenceAdmin
from alerting.admin.windows import MaintenanceWindowAdmin
from alerting.models import (
    Alert,
    AlertGroup,
    AlertingPolicy,
    EnrichmentStep,
    EscalationPolicy,
    GroupingRule,
    InhibitionRule,
    LanguageModel,
    MaintenanceWindow,
    QuarantinedAlert,
    Route,
    Silence,
)
from channels.admin.channel import ChannelAdmin
from channels.admin.delivery import DeliveryAdmin
from channels.admin.mail import MailConsentAdmin
from channels.admin.people import ChannelIdentityAdmin, PausedAddressAdmin, SharedLimitAdmin
from channels.admin.phrases import PhraseOverrideAdmin
from channels.admin.sms import SmsOptOutAdmin, SmsPlanAdmin
from channels.admin.template import MessageTemplateAdmin
from channels.models import (
    Channel,
    ChannelIdentity,
    Delivery,
    MailConsent,
    MessageTemplate,
    PausedAddress,
    PhraseOverride,
    SharedLimit,
    SmsOptOut,
    SmsPlan,
)
from tenants.admin.api_keys import ApiKeyAdmin
from tenants.admin.audit_log import AuditEntryAdmin
from tenants.admin.people import MembershipAdmin, RoleAdmin
from tenants.admin.tenant import TenantAdmin
from tenants.models import ApiKey, AuditEntry, Membership, Role, Tenant

PAGES: dict[Any, Any] = {
    AlertGroup: AlertGroupAdmin,
    Alert: AlertAdmin,
    Delivery: DeliveryAdmin,
    QuarantinedAlert: QuarantinedAlertAdmin,
    Silence: SilenceAdmin,
    MaintenanceWindow: MaintenanceWindowAdmin,
    InhibitionRule: InhibitionRuleAdmin,
    Route: RouteAdmin,
    EscalationPolicy: EscalationPolicyAdmin,
    **oncall.PAGES,
    Channel: ChannelAdmin,
    MessageTemplate: MessageTemplateAdmin,
    PhraseOverride: PhraseOverrideAdmin,
    SmsPlan: SmsPlanAdmin,
    SmsOptOut: SmsOptOutAdmin,
    SharedLimit: SharedLimitAdmin,
    ChannelIdentity: ChannelIdentityAdmin,
    PausedAddress: PausedAddressAdmin,
    MailConsent: MailConsentAdmin,
    GroupingRule: GroupingRuleAdmin,
    EnrichmentStep: EnrichmentStepAdmin,
    AlertingPolicy: AlertingPolicyAdmin,
    LanguageModel: LanguageModelAdmin,
    Tenant: TenantAdmin,
    Membership: MembershipAdmin,
    Role: RoleAdmin,
    ApiKey: ApiKeyAdmin,
    AuditEntry: AuditEntryAdmin,
}

# Floors above this one name their pages in the settings (DESIGN.md section 2): nothing here imports upwards.
for _further in settings.ADMIN_PAGES:
    PAGES.update(import_string(_further))


def register_all(site: Any) -> None:
    """Put every page on the site."""
    for model, page in PAGES.items():
        site.register(model, page)
