"""Channels, templates and deliveries in the admin."""

import json
import re
from typing import Any

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from channels.admin.channel_form import ChannelForm
from channels.models import Channel, Delivery, MessageTemplate
from tenants.context import tenant_context
from tenants.models import AuditEntry
from tests.alerting.admin.world import World, admin_url

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
WEBHOOK = {
    "name": "new hook",
    "kind": "webhook",
    "settings__webhook__url": "https://example.com/hook",
    "credentials__webhook__secrets": SECRET,
    "semantics": "at_least_once",
    "send_resolved": "on",
    "is_active": "on",
}


def post(world: World, url: str, data: dict[str, Any]) -> Any:
    return world.client(world.owner).post(url, data)


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def channel(world: World, name: str) -> Channel:
    with tenant_context(world.tenant.pk):
        return Channel.objects.get(name=name)


def test_a_channel_is_made_from_the_fields_of_its_kind(ours: World) -> None:
    assert post(ours, admin_url(Channel, "add"), WEBHOOK).status_code == 302
    made = channel(ours, "new hook")
    assert made.settings == {"url": "https://example.com/hook"}
    assert json.loads(made.credentials) == {"secrets": [SECRET]}


def test_fields_of_other_kinds_are_left_out(ours: World) -> None:
    data = {**WEBHOOK, "settings__slack__channel": "#alerts", "credentials__slack__token": "xoxb-1"}
    assert post(ours, admin_url(Channel, "add"), data).status_code == 302
    assert "channel" not in channel(ours, "new hook").settings


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"settings__webhook__url": "http://169.254.169.254/"}, "settings__webhook__url"),
        ({"settings__webhook__url": ""}, "settings__webhook__url"),
        ({"credentials__webhook__secrets": "plain"}, "credentials__webhook__secrets"),
        ({"credentials__webhook__secrets": ""}, "credentials__webhook__secrets"),
        ({"kind": "pigeon"}, "kind"),
        ({"name": "channel Ourmarker"}, "name"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(change: dict[str, str], field: str, ours: World) -> None:
    assert field in errors(post(ours, admin_url(Channel, "add"), {**WEBHOOK, **change}))


def test_every_kind_has_its_fields() -> None:
    form = ChannelForm.of_kinds(["slack", "email", "webhook"], is_new=True)
    assert {"settings__slack__channel", "settings__email__to", "credentials__email__password"} <= set(form.base_fields)


@pytest.mark.parametrize(
    ("kind", "given", "credentials", "name"),
    [
        ("sms", {"to": ["+436641234567"], "sender": "Alerts", "account_sid": "AC" + "0" * 32}, {}, "replies"),
        ("pagerduty", {}, {"routing_key": "r" * 32}, "act_on_groups"),
    ],
)
def test_saving_a_page_unchanged_switches_nothing_off(
    ours: World, kind: str, given: dict[str, Any], credentials: dict[str, str], name: str
) -> None:
    with tenant_context(ours.tenant.pk):
        fields = {"settings": given, "credentials": json.dumps(credentials)}
        row = Channel.objects.create(name="by REST", kind=kind, **fields)
    url = admin_url(Channel, "change", row.pk)
    form = ours.client(ours.owner).get(url).context["adminform"].form
    shown = {field.html_name: field.field.prepare_value(field.value()) for field in form}
    data = {key: value for key, value in shown.items() if value not in (None, "", False)}
    assert post(ours, url, {**data, "name": "by the page"}).status_code == 302
    assert channel(ours, "by the page").settings[name] is True


def test_credentials_are_never_shown_again(ours: World) -> None:
    post(ours, admin_url(Channel, "add"), WEBHOOK)
    url = admin_url(Channel, "change", channel(ours, "new hook").pk)
    for person in (ours.owner, ours.viewer):
        body = ours.client(person).get(url).content.decode()
        assert SECRET not in body
        assert SECRET.removeprefix("whsec_") not in body
    history = ours.client(ours.owner).get(url.replace("change", "history")).content.decode()
    assert SECRET not in history


def test_empty_credentials_keep_the_stored_ones(ours: World) -> None:
    post(ours, admin_url(Channel, "add"), WEBHOOK)
    url = admin_url(Channel, "change", channel(ours, "new hook").pk)
    data = {**WEBHOOK, "name": "renamed", "credentials__webhook__secrets": ""}
    assert post(ours, url, data).status_code == 302
    assert json.loads(channel(ours, "renamed").credentials) == {"secrets": [SECRET]}


MAIL = {
    "name": "mails",
    "kind": "email",
    "settings__email__to": "ops@example.com",
    "settings__email__from_address": "alerts@example.com",
    "settings__email__provider": "smtp",
    "settings__email__host": "mail.example.com",
    "settings__email__port": "587",
    "settings__email__security": "starttls",
    "credentials__email__user": "us",
    "credentials__email__password": "hunter-2-nobody-sees",
    "semantics": "at_least_once",
    "is_active": "on",
}


def test_a_stored_password_is_not_told_to_another_mail_server(ours: World) -> None:
    assert post(ours, admin_url(Channel, "add"), MAIL).status_code == 302
    url = admin_url(Channel, "change", channel(ours, "mails").pk)
    kept = {**MAIL, "credentials__email__user": "", "credentials__email__password": ""}
    moved = {**kept, "settings__email__host": "evil.example.net"}
    assert "credentials__email__user" in errors(post(ours, url, moved))
    assert channel(ours, "mails").settings["host"] == "mail.example.com"
    assert post(ours, url, {**kept, "settings__email__to": "more@example.com"}).status_code == 302
    assert json.loads(channel(ours, "mails").credentials)["password"] == MAIL["credentials__email__password"]
    # What is typed for the new server is all that it is told.
    typed = {**moved, "credentials__email__user": "us", "credentials__email__password": "fresh"}
    assert post(ours, url, typed).status_code == 302
    assert json.loads(channel(ours, "mails").credentials) == {"user": "us", "password": "fresh"}


def test_a_mistake_in_the_address_is_told_at_the_address(ours: World) -> None:
    post(ours, admin_url(Channel, "add"), MAIL)
    url = admin_url(Channel, "change", channel(ours, "mails").pk)
    kept = {**MAIL, "credentials__email__user": "", "credentials__email__password": ""}
    found = errors(post(ours, url, {**kept, "settings__email__port": "99999"}))
    assert list(found) == ["settings__email__port"]


def test_new_credentials_replace_the_stored_ones_and_the_audit_log_holds_a_mask(ours: World) -> None:
    post(ours, admin_url(Channel, "add"), WEBHOOK)
    pk = channel(ours, "new hook").pk
    fresh = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4"
    post(ours, admin_url(Channel, "change", pk), {**WEBHOOK, "credentials__webhook__secrets": fresh})
    assert json.loads(channel(ours, "new hook").credentials) == {"secrets": [fresh]}
    with tenant_context(ours.tenant.pk):
        entry = AuditEntry.objects.get(action="channel.changed")
    assert "secret" in entry.after["credentials"]
    assert fresh not in json.dumps([entry.before, entry.after])


def test_the_kind_of_a_channel_stays(ours: World) -> None:
    post(ours, admin_url(Channel, "add"), WEBHOOK)
    url = admin_url(Channel, "change", channel(ours, "new hook").pk)
    post(ours, url, {**WEBHOOK, "kind": "slack", "settings__slack__channel": "#x"})
    assert channel(ours, "new hook").kind == "webhook"


def test_a_template_of_another_kind_is_refused(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        other = MessageTemplate.objects.create(name="mail", kind="email", parts={})
    assert "template" in errors(post(ours, admin_url(Channel, "add"), {**WEBHOOK, "template": str(other.pk)}))


def test_a_test_is_queued_and_its_state_shown(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        Channel.objects.update(settings={"url": "https://example.com/x"})
    answer = post(ours, ours.url(Channel, "test"), {})
    assert "waiting for the provider" in answer.content.decode()
    with tenant_context(ours.tenant.pk):
        delivery = Delivery.objects.get(kind="test")
    again = reverse("admin:channels_channel_test_answer", args=[ours.rows[Channel].pk, delivery.pk])
    assert again in answer.content.decode()
    assert ours.client(ours.owner).get(again).status_code == 200


def test_a_test_of_a_foreign_channel_does_not_exist(ours: World, foreign: World) -> None:
    assert post(ours, foreign.url(Channel, "test"), {}).status_code == 404


# Templates

TEMPLATE = {"name": "mine", "kind": "webhook", "part__webhook__summary": "Hear: {{ title }}"}


def test_a_template_is_saved_by_its_parts(ours: World) -> None:
    assert post(ours, admin_url(MessageTemplate, "add"), TEMPLATE).status_code == 302
    with tenant_context(ours.tenant.pk):
        assert MessageTemplate.objects.get(name="mine").parts == {"summary": "Hear: {{ title }}"}


@pytest.mark.parametrize("source", ["line one\n{% if %}", "{{ ''.__class__ }}", "{% for a in range(9) %}{% endfor %}"])
def test_a_template_that_cannot_work_is_refused_with_its_line(source: str, ours: World) -> None:
    found = errors(post(ours, admin_url(MessageTemplate, "add"), {**TEMPLATE, "part__webhook__summary": source}))
    assert "line" in found["part__webhook__summary"][0]


def test_a_preview_shows_the_text_for_a_sample_and_for_a_real_message(ours: World) -> None:
    url = reverse("admin:channels_messagetemplate_preview")
    body = post(ours, url, TEMPLATE).content.decode()
    assert "Hear: Disk almost full" in body
    real = post(ours, url, {**TEMPLATE, "preview_message": str(ours.rows[Delivery].pk)}).content.decode()
    assert f"Hear: message {ours.marker}" in real


def test_a_preview_of_a_foreign_message_shows_the_sample(ours: World, foreign: World) -> None:
    url = reverse("admin:channels_messagetemplate_preview")
    for chosen in (str(foreign.rows[Delivery].pk), "no-id"):
        body = post(ours, url, {**TEMPLATE, "preview_message": chosen}).content.decode()
        assert foreign.marker not in body
        assert "Disk almost full" in body


def test_a_preview_names_the_line_of_a_mistake_and_says_what_it_is(ours: World) -> None:
    url = reverse("admin:channels_messagetemplate_preview")
    body = post(ours, url, {**TEMPLATE, "part__webhook__summary": "one\n{{ title | nope }}"}).content.decode()
    assert re.search(r"Line 2: \S.*nope", body)


def test_a_preview_needs_a_kind(ours: World) -> None:
    body = post(ours, reverse("admin:channels_messagetemplate_preview"), {"kind": "pigeon"}).content.decode()
    assert "Choose the kind" in body


# Deliveries


def test_a_delivery_shows_its_attempts_and_what_was_said(ours: World) -> None:
    body = ours.client(ours.viewer).get(ours.url(Delivery)).content.decode()
    for words in (f"answer {ours.marker}", f"dead {ours.marker}", f"message {ours.marker}"):
        assert words in body
    assert "Replay</button>" not in body


def test_only_a_delivery_under_way_says_when_it_would_be_given_up(ours: World) -> None:
    client, url = ours.client(ours.viewer), ours.url(Delivery)
    assert "Given up at" in client.get(url).content.decode()
    with tenant_context(ours.tenant.pk):
        Delivery.objects.update(finished_at=Now())
    assert "Given up at" not in client.get(url).content.decode()


def test_a_dead_letter_is_replayed_once_and_audited(ours: World) -> None:
    client, url = ours.client(ours.responder), ours.url(Delivery, "replay")
    assert "goes out again" in client.post(url, follow=True).content.decode()
    with tenant_context(ours.tenant.pk):
        assert Delivery.objects.get().state == "pending"
        assert AuditEntry.objects.filter(action="delivery.replayed").count() == 1
    assert "Only dead letters" in client.post(url, follow=True).content.decode()


def test_dead_letters_are_replayed_from_the_list(ours: World) -> None:
    data = {"action": "replay_selected", "_selected_action": [str(ours.rows[Delivery].pk)]}
    ours.client(ours.responder).post(admin_url(Delivery, "changelist"), data)
    with tenant_context(ours.tenant.pk):
        assert Delivery.objects.get().state == "pending"


def test_dead_letters_are_laid_aside_from_the_list(ours: World) -> None:
    data = {"action": "dismiss_selected", "_selected_action": [str(ours.rows[Delivery].pk)]}
    answer = ours.client(ours.responder).post(admin_url(Delivery, "changelist"), data, follow=True)
    assert "laid aside" in answer.content.decode()
    with tenant_context(ours.tenant.pk):
        assert Delivery.objects.get().state == "cancelled"
        assert AuditEntry.objects.filter(action="delivery.dismissed").count() == 1


def test_the_list_filters_by_state(ours: World) -> None:
    client, url = ours.client(ours.viewer), admin_url(Delivery, "changelist")
    assert f"recipient-{ours.marker}" in client.get(url, {"state__exact": "dead"}).content.decode()
    assert f"recipient-{ours.marker}" not in client.get(url, {"state__exact": "delivered"}).content.decode()


def test_deleting_a_channel_says_what_goes_with_it(ours: World) -> None:
    body = ours.client(ours.owner).get(ours.url(Channel, "delete")).content.decode()
    assert "deliveries" in body.lower()
    assert ours.client(ours.owner).post(ours.url(Channel, "delete"), {"post": "yes"}).status_code == 302
    with tenant_context(ours.tenant.pk):
        assert not Channel.objects.exists()
        assert AuditEntry.objects.filter(action="channel.deleted").count() == 1
