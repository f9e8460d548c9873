"""The demo tenant of `make up`: channels that deliver to the inbox, routes, rules, people on call and a key."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from alerting import demo_on_call
from alerting.models import (
    AlertingPolicy,
    EnrichmentStep,
    EscalationPolicy,
    GroupingRule,
    InhibitionRule,
    MaintenanceWindow,
    Route,
)
from alerting.route_channels import set_channels
from channels.models import Channel, ChannelIdentity
from tenants import accounts, audit, keys
from tenants.context import tenant_context
from tenants.models import ApiKey, Membership, Role, Tenant, User
from tenants.principal import Principal, system

SLUG, ADMIN = "demo", "admin"
INBOX_KEY = "developmentinbox0000000000000000"
INBOX_SLACK = {"token": "xoxb-development-inbox", "signing_secret": "developmentinbox"}
SCOPES = ("alerts:write", "alerts:read", "alerts:act", "config:read", "config:write", "deliveries:replay", "audit:read")


@dataclass(frozen=True)
class Inbox:
    """Where the development inbox listens."""

    url: str
    smtp_port: int

    @classmethod
    def from_environment(cls) -> "Inbox":
        return cls(os.environ.get("INBOX_URL", "http://127.0.0.1:8001"), int(os.environ.get("INBOX_SMTP_PORT", "8002")))


def seed(inbox: Inbox, before: Mapping[str, str] | None = None) -> dict[str, str]:
    """Make or complete the demo tenant; return what a person needs to use it.

    The password and the key that an earlier run returned (`before`) stay while they work, others are
    made where they do not; whatever was changed in the admin stays as it is.
    """
    before = before or {}
    tenant = Tenant.objects.filter(slug=SLUG).first() or accounts.create_tenant(
        None, slug=SLUG, name="Demo", environment=Tenant.Environment.DEVELOPMENT, time_zone="Europe/Paris"
    )
    with tenant_context(tenant.pk):
        actor = system(tenant.pk, "seed_demo")
        password = _member(tenant, before.get("admin_password", ""))
        token = _key(actor, before.get("api_key", ""))
        webhook_secret = _channels(actor, inbox)
        if not Route.objects.exists():
            _rules(actor)
            _routes(actor, demo_on_call.make(actor))
    return {
        "admin_user": ADMIN,
        "admin_password": password,
        "api_key": token,
        "tenant": SLUG,
        "webhook_secret": webhook_secret,
    }


def _key(actor: Principal, token: str) -> str:
    """Return the key that works and may do all that the demo shows; the demo has one at a time."""
    known = keys.verify(token, None)
    kept = ""
    for old in ApiKey.objects.filter(name="demo", revoked_at=None):
        if known is not None and known.id == str(old.pk) and set(SCOPES) <= set(old.scopes):
            kept = token
        else:
            keys.revoke(actor, old)
    return kept or keys.issue(actor, "demo", SCOPES).token


def _member(tenant: Tenant, password: str) -> str:
    """Make the admin and a member of them; return the password, which is new unless the old one still opens."""
    user, _created = User.objects.get_or_create(
        username=ADMIN, defaults={"email": "admin@example.org", "is_staff": True, "is_superuser": True}
    )
    if not (password and user.check_password(password)):
        password = secrets.token_urlsafe(12)
        user.set_password(password)
        user.save()
    if not Membership.objects.filter(user=user).exists():
        accounts.add_member(system(tenant.pk, "seed_demo"), user, Role.objects.get(name="owner"))
    return password


def _channels(actor: Principal, inbox: Inbox) -> str:
    host = urlsplit(inbox.url).hostname or "127.0.0.1"
    existing = Channel.objects.filter(kind="webhook", name="Inbox webhook").first()
    secret = (
        json.loads(existing.credentials)["secrets"][0]
        if existing
        else "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    )
    wanted: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
        ("Slack #alerts", "slack", {"channel": "#alerts"}, INBOX_SLACK),
        (
            "On-call e-mail",
            "email",
            {
                "host": host,
                "port": inbox.smtp_port,
                "security": "none",
                "to": ["oncall@example.org"],
                "from_address": "alerts@example.org",
                "from_name": "Alerting",
            },
            {},
        ),
        (
            "On-call phone",
            "sms",
            {"to": ["+436641234567"], "sender": "+15005550006", "account_sid": "AC" + "0" * 32},
            {"auth_token": "development-inbox"},
        ),
        # The inbox plays PagerDuty: it signs its webhooks with the only secret it ever sees, the routing key.
        ("Incidents", "pagerduty", {}, {"routing_key": INBOX_KEY, "webhook_secrets": [INBOX_KEY]}),
        ("Inbox webhook", "webhook", {"url": f"{inbox.url}/hooks/demo"}, {"secrets": [secret]}),
    ]
    for name, kind, settings, credentials in wanted:
        channel = Channel.objects.filter(name=name).first() or Channel(name=name, kind=kind)
        if (channel.settings, channel.credentials) == (settings, json.dumps(credentials)):
            continue
        channel.settings = settings
        channel.credentials = json.dumps(credentials)
        audit.save_audited(actor, channel)
    _link_inbox(actor)
    return secret


def _link_inbox(actor: Principal) -> None:
    """The person who presses Slack's buttons in the inbox is the administrator."""
    user = User.objects.filter(username=ADMIN).first()
    channel = Channel.objects.filter(kind="slack").first()
    if user is None or channel is None:
        return
    identities = ChannelIdentity.objects.filter(channel=channel, external_id="U0INBOX")
    if not identities.exists():
        identity = ChannelIdentity(channel=channel, external_id="U0INBOX", external_name="inbox", user=user)
        audit.save_audited(actor, identity)


def _rules(actor: Principal) -> None:
    if not AlertingPolicy.objects.exists():
        audit.save_audited(actor, AlertingPolicy(stale_after=timedelta(minutes=15), ignored_labels=["pod"]))
    for row in (_grouping(), _owners(), _inhibition(), _maintenance()):
        audit.save_audited(actor, row)


def _grouping() -> GroupingRule:
    return GroupingRule(name="By alert and service", group_by=["alertname", "service"])


def _owners() -> EnrichmentStep:
    return EnrichmentStep(
        name="Runbooks and owners",
        kind="ownership",
        matchers=[],
        settings={
            "rules": [
                {
                    "matchers": [{"name": "service", "op": "=", "value": "recommendations"}],
                    "owner": "ml-platform",
                    "runbook": "https://runbooks.example.org/recommendations",
                },
                {
                    "matchers": [{"name": "service", "op": "=~", "value": "stream.*"}],
                    "owner": "streaming",
                    "runbook": "https://runbooks.example.org/streaming",
                },
            ]
        },
    )


def _inhibition() -> InhibitionRule:
    return InhibitionRule(
        name="A region that is down explains its services",
        source_matchers=[{"name": "alertname", "op": "=", "value": "RegionDown"}],
        target_matchers=[{"name": "severity", "op": "=~", "value": "warning|error"}],
        equal=["region"],
    )


def _maintenance() -> MaintenanceWindow:
    return MaintenanceWindow(
        name="Weekly catalogue import",
        matchers=[{"name": "service", "op": "=", "value": "catalogue-import"}],
        start_date=timezone.localdate(),
        start_time=time(3, 0),
        duration=timedelta(hours=2),
        rrule="FREQ=WEEKLY;BYDAY=SU",
    )


def _routes(actor: Principal, policy: EscalationPolicy) -> None:
    channels = {channel.kind: channel for channel in Channel.objects.all()}
    root = Route(
        name="Everything",
        group_wait=timedelta(seconds=1),
        group_interval=timedelta(seconds=30),
        repeat_interval=timedelta(hours=4),
    )
    urgent = Route(
        name="Critical, also by e-mail, SMS and PagerDuty",
        parent=root,
        position=1,
        matchers=[{"name": "severity_level", "op": "=", "value": "critical"}],
        group_wait=timedelta(0),
        repeat_interval=timedelta(hours=1),
        policy=policy,
    )
    for route, kinds in ((root, ("slack", "webhook")), (urgent, ("slack", "email", "sms", "pagerduty", "webhook"))):
        audit.save_audited(actor, route)
        set_channels(actor, route, [channels[kind] for kind in kinds])
