"""The demo tenant keeps its password and key for as long as they work."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from alerting.demo import ADMIN
from alerting.escalation import would_be_called
from alerting.models import (
    ContactMethod,
    EscalationPolicy,
    GroupingRule,
    NotificationRule,
    OnCallSchedule,
    Route,
)
from alerting.oncall.findings import findings
from alerting.validation import check
from channels.models import Channel
from channels.selectors import database_now
from tenants import keys
from tenants.context import tenant_context
from tenants.models import ApiKey, AuditEntry, Tenant, User
from tenants.principal import system

pytestmark = pytest.mark.django_db


def seed(out: Path) -> dict[str, str]:
    call_command("seed_demo", "--out", str(out))
    made: dict[str, str] = json.loads(out.read_text())
    return made


def opens(made: dict[str, str]) -> bool:
    fits = User.objects.get(username=ADMIN).check_password(made["admin_password"])
    return fits and keys.verify(made["api_key"], None) is not None


def test_what_works_is_kept(tmp_path: Path) -> None:
    first = seed(tmp_path / "demo.json")
    assert opens(first)
    assert seed(tmp_path / "demo.json") == first
    assert opens(first)


def test_what_works_no_longer_is_made_anew(tmp_path: Path) -> None:
    first = seed(tmp_path / "demo.json")
    tenant = Tenant.objects.get(slug="demo")
    with tenant_context(tenant.pk):
        key = ApiKey.objects.get(name="demo", revoked_at=None)
        keys.revoke(system(tenant.pk, "test"), key)
    keys.forget(key.prefix)
    user = User.objects.get(username=ADMIN)
    user.set_password("chosen by somebody")
    user.save()
    second = seed(tmp_path / "demo.json")
    assert opens(second)
    assert (second["api_key"], second["admin_password"]) != (first["api_key"], first["admin_password"])


@pytest.mark.parametrize("text", [None, "", '{"admin_pass', "[]"])
def test_without_the_file_of_an_earlier_run_everything_is_new(tmp_path: Path, text: str | None) -> None:
    first = seed(tmp_path / "demo.json")
    if text is None:
        (tmp_path / "demo.json").unlink()
    else:
        (tmp_path / "demo.json").write_text(text)
    second = seed(tmp_path / "demo.json")
    assert opens(second)
    assert not opens(first)
    with tenant_context(Tenant.objects.get(slug="demo").pk):
        assert ApiKey.objects.filter(name="demo", revoked_at=None).count() == 1


def test_people_on_call_are_reached_from_the_first_minute_on(tmp_path: Path) -> None:
    seed(tmp_path / "demo.json")
    tenant = Tenant.objects.get(slug="demo")
    with tenant_context(tenant.pk):
        now = database_now()
        assert findings(now) == []
        for row in (*OnCallSchedule.objects.all(), *EscalationPolicy.objects.all()):
            check(row)
        for contact in ContactMethod.objects.all():
            check(contact)
        calls = would_be_called({"alertname": "X", "severity": "page"}, now)
        assert would_be_called({"alertname": "X", "severity": "warning"}, now) == []
    whom = [(one.level, one.whom) for one in calls if not one.nobody]
    assert {name for level, name in whom if level == 2} == {"Maya Lindqvist", "Noor Haddad"}
    assert {"email", "sms"} <= {one.how for one in calls if one.level == 1}


def test_what_the_seed_made_stands_in_the_audit_log(tmp_path: Path) -> None:
    seed(tmp_path / "demo.json")
    tenant = Tenant.objects.get(slug="demo")
    with tenant_context(tenant.pk):
        entries = AuditEntry.objects.filter(actor_label="seed_demo")
        made = {entry.object_id for entry in entries if entry.action.endswith(".created")}
        for model in (Channel, Route, GroupingRule, EscalationPolicy, OnCallSchedule, ContactMethod, NotificationRule):
            assert {str(pk) for pk in model.objects.values_list("pk", flat=True)} <= made, model
        before = AuditEntry.objects.count()
        assert "whsec_" not in json.dumps([entry.after for entry in entries])
    seed(tmp_path / "demo.json")
    with tenant_context(tenant.pk):
        assert AuditEntry.objects.count() == before
