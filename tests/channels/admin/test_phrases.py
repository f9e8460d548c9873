"""A tenant's own phrases in the admin."""

from typing import Any

import pytest
from django.urls import reverse

from channels.languages.trying import keys, try_phrase
from channels.models import Channel, PhraseOverride
from tenants.context import tenant_context
from tenants.models import AuditEntry
from tests.alerting.admin.world import World, admin_url

PHRASE = {"locale": "fr", "key": "counts.alerts.one", "text": "{n} pépin"}
PREVIEW = "admin:channels_phraseoverride_preview"


def save(world: World, **changes: str) -> Any:
    return world.client(world.owner).post(admin_url(PhraseOverride, "add"), PHRASE | changes)


def show(world: World, **changes: str) -> str:
    body: str = world.client(world.owner).post(reverse(PREVIEW), PHRASE | changes).content.decode()
    return body


def test_a_phrase_is_saved_and_audited(ours: World) -> None:
    assert save(ours).status_code == 302
    with tenant_context(ours.tenant.pk):
        assert PhraseOverride.objects.get(locale="fr").text == "{n} pépin"
        assert AuditEntry.objects.filter(action="phraseoverride.created").count() == 1
    listed = ours.client(ours.viewer).get(admin_url(PhraseOverride, "changelist")).content.decode()
    assert "{n} alerte" in listed


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": "{secret} pépin"}, "text"),
        ({"text": "{n"}, "text"),
        ({"key": "no.such"}, "key"),
        ({"locale": "ja"}, "locale"),
        ({"key": "counts.alerts.many", "locale": "de"}, "key"),
    ],
)
def test_a_phrase_that_would_break_a_message_is_told_at_its_field(
    changes: dict[str, str], field: str, ours: World
) -> None:
    answer = save(ours, **changes)
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors


def test_a_preview_says_the_phrase_by_itself_and_in_messages(ours: World) -> None:
    body = show(ours, key="status.firing", text="ça brûle")
    assert "en cours" in body
    assert "ÇA BRÛLE (critique)" in body
    with tenant_context(ours.tenant.pk):
        assert not PhraseOverride.objects.filter(locale="fr").exists()


def test_a_preview_says_what_is_wrong_and_which_names_there_are(ours: World) -> None:
    body = show(ours, text="{secret}")
    assert "secret" in body
    assert "<code>{n}</code>" in body


def test_a_preview_of_a_sentence_about_a_type_shows_such_an_alert(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        tried = try_phrase("en", "types.anomaly.summary.band", "{metric} went mad: {value}, not {lower} to {upper}.")
    assert "disk usage went mad: 96%, not 50% to 70%." in tried.messages["email"]


def test_every_sentence_about_an_alert_is_shown_in_some_message(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        for key in keys():
            # What is longer than a summary is said by e-mail alone, what is shorter by SMS.
            if key.startswith("types.") and not key.endswith((".many", ".few", ".two", ".zero", ".one")):
                tried = try_phrase("en", key, "Mark of this test")
                assert any("Mark of this test" in text for text in tried.messages.values()), key


def test_every_phrase_can_be_chosen_and_tried(ours: World) -> None:
    with tenant_context(ours.tenant.pk):
        for key, text in keys().items():
            if not key.endswith((".many", ".few", ".two", ".zero")):
                assert try_phrase("en", key, text).faults == {}, key


def test_a_viewer_looks_and_a_stranger_does_not(ours: World, foreign: World) -> None:
    url = ours.url(PhraseOverride)
    assert ours.client(ours.viewer).post(url, PHRASE).status_code == 403
    assert foreign.client(foreign.owner).get(url).status_code == 404


def test_a_channel_has_a_language_and_a_time_zone_of_its_own(ours: World) -> None:
    data = {
        "name": "zoned",
        "kind": "webhook",
        "settings__webhook__url": "https://example.com/hook",
        "credentials__webhook__secrets": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
        "semantics": "at_least_once",
        "locale": "de",
        "time_zone": "Europe/Vienna",
        "is_active": "on",
    }
    client = ours.client(ours.owner)
    refused = client.post(admin_url(Channel, "add"), data | {"time_zone": "Mars/Base"})
    assert "time_zone" in refused.context["adminform"].form.errors
    assert client.post(admin_url(Channel, "add"), data).status_code == 302
    with tenant_context(ours.tenant.pk):
        made = Channel.objects.get(name="zoned")
    assert (made.locale, made.time_zone) == ("de", "Europe/Vienna")
