"""The sidebar: work first, then what mutes, then the configuration, then the people."""

from typing import Any, Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from tenants.admin.actor import can


class Item(NamedTuple):
    """One line of the sidebar: where it leads and which permission shows it."""

    title: Promise
    icon: str
    view: str
    permission: str


WORK, CONFIGURATION = "view_alerts", "view_configuration"

SECTIONS: Final[list[tuple[Promise, list[Item]]]] = [
    (
        _("Work"),
        [
            Item(_("Overview"), "monitoring", "index", WORK),
            Item(_("Alert groups"), "notifications_active", "alerting_alertgroup_changelist", WORK),
            Item(_("Alerts"), "sensors", "alerting_alert_changelist", WORK),
            Item(_("Deliveries"), "send", "channels_delivery_changelist", WORK),
            Item(_("Explain"), "psychology_alt", "explain", WORK),
            Item(_("Quarantine"), "block", "alerting_quarantinedalert_changelist", WORK),
        ],
    ),
    (
        _("Mute"),
        [
            Item(_("Silences"), "notifications_off", "alerting_silence_changelist", CONFIGURATION),
            Item(_("Maintenance windows"), "event_busy", "alerting_maintenancewindow_changelist", CONFIGURATION),
            Item(_("Inhibition rules"), "call_merge", "alerting_inhibitionrule_changelist", CONFIGURATION),
        ],
    ),
    (
        _("Tell"),
        [
            Item(_("Routes"), "account_tree", "alerting_route_changelist", CONFIGURATION),
            Item(_("Channels"), "forum", "channels_channel_changelist", CONFIGURATION),
            Item(_("Message templates"), "draft", "channels_messagetemplate_changelist", CONFIGURATION),
            Item(_("Own phrases"), "translate", "channels_phraseoverride_changelist", CONFIGURATION),
            Item(_("Shared limits"), "speed", "channels_sharedlimit_changelist", CONFIGURATION),
            Item(_("SMS plan"), "sms", "channels_smsplan_changelist", CONFIGURATION),
            Item(_("Numbers without SMS"), "phone_disabled", "channels_smsoptout_changelist", CONFIGURATION),
            Item(_("Paused addresses"), "unsubscribe", "channels_pausedaddress_changelist", CONFIGURATION),
            Item(_("Consents"), "visibility", "channels_mailconsent_changelist", CONFIGURATION),
            Item(_("Linked accounts"), "link", "channels_channelidentity_changelist", CONFIGURATION),
        ],
    ),
    (
        _("On call"),
        [
            Item(_("On-call schedules"), "calendar_month", "alerting_oncallschedule_changelist", CONFIGURATION),
            Item(_("Overrides"), "swap_horiz", "alerting_scheduleoverride_changelist", WORK),
            Item(_("Escalation policies"), "stairs", "alerting_escalationpolicy_changelist", CONFIGURATION),
            Item(_("Contacts"), "contact_phone", "alerting_contactmethod_changelist", WORK),
            Item(_("Notification rules"), "rule", "alerting_notificationrule_changelist", WORK),
            Item(_("Who would be called"), "phone_in_talk", "who", WORK),
        ],
    ),
    (
        _("Understand"),
        [
            Item(_("Grouping rules"), "workspaces", "alerting_groupingrule_changelist", CONFIGURATION),
            Item(_("Enrichment steps"), "auto_fix_high", "alerting_enrichmentstep_changelist", CONFIGURATION),
            Item(_("General settings"), "tune", "alerting_alertingpolicy_changelist", CONFIGURATION),
            Item(_("Assistant"), "assistant", "alerting_languagemodel_changelist", CONFIGURATION),
        ],
    ),
    (
        _("Tenant"),
        [
            Item(_("Tenant"), "domain", "tenants_tenant_changelist", CONFIGURATION),
            Item(_("Members"), "group", "tenants_membership_changelist", CONFIGURATION),
            Item(_("Roles"), "badge", "tenants_role_changelist", CONFIGURATION),
            Item(_("API keys"), "key", "tenants_apikey_changelist", CONFIGURATION),
            Item(_("Audit log"), "history", "tenants_auditentry_changelist", "view_audit"),
        ],
    ),
]


def all_sections() -> list[tuple[Promise, list[Item]]]:
    """Return the sections of this floor, with those that floors above name in the settings after the work."""
    further = [import_string(path) for path in settings.ADMIN_SECTIONS]
    return [*SECTIONS[:1], *further, *SECTIONS[1:]]


def navigation(site: Any, request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sections a person may see, with the page they are on marked."""
    index = reverse(f"{site.name}:index")
    found = []
    for number, (title, items) in enumerate(all_sections()):
        shown = [_entry(site, request, item, index) for item in items if can(request, item.permission)]
        if shown:
            found.append({"title": title, "items": shown, "separator": number > 0})
    return found


def _entry(site: Any, request: HttpRequest, item: Item, index: str) -> dict[str, Any]:
    link = reverse(f"{site.name}:{item.view}")
    active = request.path == index if link == index else request.path.startswith(link)
    return {
        "title": capfirst(str(item.title)),
        "icon": item.icon,
        "link": link,
        "active": active,
        "has_permission": True,
    }
