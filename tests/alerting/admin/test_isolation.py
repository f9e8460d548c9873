"""Nobody sees, chooses or changes rows of another tenant, on any page of the admin."""

import csv
import io
from typing import Any

import pytest
from django.urls import reverse

from alerting.admin.registry import PAGES
from alerting.admin.site import site
from alerting.models import Alert, AlertGroup, Route, Silence
from channels.models import Channel
from tenants import accounts
from tenants.models import Role, Tenant
from tests.alerting.admin.world import World, admin_url

MODELS = list(PAGES)
IDS = [model.__name__ for model in MODELS]
MARKER = "foreignmarker"


def test_every_registered_page_is_walked_below(ours: World) -> None:
    assert set(site._registry) == set(ours.rows)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_a_list_holds_our_rows_and_no_others(model: Any, ours: World, foreign: World) -> None:
    answer = ours.client(ours.owner).get(admin_url(model, "changelist"), {"q": ""}, follow=True)
    body = answer.content.decode().lower()
    assert answer.status_code == 200
    assert MARKER not in body


@pytest.mark.parametrize("model", MODELS, ids=IDS)
@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_a_foreign_row_does_not_exist(model: Any, page: str, ours: World, foreign: World) -> None:
    answer = ours.client(ours.owner).get(foreign.url(model, page))
    assert answer.status_code in ({404, 403} if page == "delete" else {404})
    assert MARKER not in answer.content.decode().lower()


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_our_own_row_opens_without_a_foreign_word(model: Any, ours: World, foreign: World) -> None:
    answer = ours.client(ours.owner).get(ours.url(model))
    assert answer.status_code == 200
    assert MARKER not in answer.content.decode().lower()


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_a_form_to_add_offers_no_foreign_choice(model: Any, ours: World, foreign: World) -> None:
    answer = ours.client(ours.owner).get(admin_url(model, "add"))
    assert answer.status_code in {200, 403}
    assert MARKER not in answer.content.decode().lower()


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_posting_to_a_foreign_row_changes_nothing(model: Any, ours: World, foreign: World) -> None:
    client = ours.client(ours.owner)
    for page in ("change", "delete"):
        answer = client.post(foreign.url(model, page), {"name": "taken", "post": "yes"})
        assert answer.status_code in {403, 404}


def test_a_bulk_action_ignores_foreign_ids(ours: World, foreign: World) -> None:
    group = foreign.rows[AlertGroup]
    ours.client(ours.owner).post(
        admin_url(AlertGroup, "changelist"), {"action": "acknowledge_selected", "_selected_action": str(group.pk)}
    )
    with_context(foreign, group.refresh_from_db)
    assert group.status == "firing"


def with_context(world: World, act: Any) -> None:
    from tenants.context import tenant_context

    with tenant_context(world.tenant.pk):
        act()


@pytest.mark.parametrize("name", ["act", "change"])
def test_no_deed_reaches_a_foreign_group(name: str, ours: World, foreign: World) -> None:
    url = admin_url(AlertGroup, name, foreign.rows[AlertGroup].pk)
    assert ours.client(ours.owner).post(url, {"deed": "acknowledge"}).status_code == 404


def test_a_foreign_channel_cannot_be_put_on_a_route(ours: World, foreign: World) -> None:
    stolen = str(foreign.rows[Channel].pk)
    answer = ours.client(ours.owner).post(
        ours.url(Route), {"name": "route", "position": "0", "matchers": "[]", "tells": [stolen]}
    )
    assert answer.status_code == 200
    assert stolen not in [str(pk) for pk in answer.context["adminform"].form.cleaned_data.get("tells", [])]
    assert "tells" in answer.context["adminform"].form.errors


def test_autocomplete_knows_no_foreign_row(ours: World, foreign: World) -> None:
    query = {"app_label": "channels", "model_name": "delivery", "field_name": "channel", "term": ""}
    answer = ours.client(ours.owner).get(reverse("admin:autocomplete"), query)
    names = [one["text"] for one in answer.json()["results"]]
    assert names == [f"channel {ours.marker}"]


@pytest.mark.parametrize(
    "lookup",
    ["credentials__startswith", "template__name", "health__blocked_reason", "tenant__slug", "tenant__id__exact"],
)
def test_a_query_string_cannot_probe_columns(lookup: str, ours: World) -> None:
    answer = ours.client(ours.owner).get(admin_url(Channel, "changelist"), {lookup: "x"})
    assert answer.status_code == 400


def test_search_finds_pages_and_keeps_nothing_between_tenants(ours: World, foreign: World) -> None:
    answer = ours.client(ours.owner).get(reverse("admin:search"), {"s": "route"})
    assert b"Routes" in answer.content
    assert MARKER not in answer.content.decode().lower()


def test_the_overview_shows_our_numbers_only(ours: World, foreign: World) -> None:
    body = ours.client(ours.owner).get(reverse("admin:index")).content.decode()
    assert f"group {ours.marker}" in body
    assert MARKER not in body.lower()


def test_a_silence_preview_counts_our_alerts_only(ours: World, foreign: World) -> None:
    url = reverse("admin:alerting_silence_preview")
    text = f'{{team="{foreign.marker}"}}'
    body = ours.client(ours.owner).post(url, {"matchers": text}).content.decode()
    assert "<b>0</b>" in body
    assert f"alert {foreign.marker}" not in body
    with_context(foreign, lambda: Silence.objects.get())
    assert Tenant.objects.count() >= 2


def id_pages() -> list[tuple[str, str]]:
    """Every page of the site whose address holds ids, by name and by the names of what it takes."""
    found = []
    for model, page in site._registry.items():
        prefix = f"{model._meta.app_label}_{model._meta.model_name}"
        for pattern in page.get_urls():
            takes = list(getattr(pattern.pattern, "converters", {}))
            if takes and pattern.name and pattern.name.startswith(prefix):
                found.append((pattern.name, " ".join(takes)))
    return sorted(set(found))


ID_PAGES = id_pages()


def test_pages_with_ids_are_found() -> None:
    names = {name for name, _takes in ID_PAGES}
    assert {"alerting_silence_end", "channels_channel_test", "metrics_threshold_backtest"} <= names
    assert len(names) > 3 * len(MODELS)


def test_no_page_of_any_kind_takes_a_foreign_id(ours: World, foreign: World) -> None:
    client = ours.client(ours.owner)
    for name, takes in ID_PAGES:
        model = next(one for one in MODELS if name.startswith(f"{one._meta.app_label}_{one._meta.model_name}_"))
        url = reverse(f"admin:{name}", args=[foreign.rows[model].pk] * len(takes.split()))
        for answer in (client.get(url), client.post(url, {"deed": "resolve", "post": "yes", "name": "taken"})):
            assert answer.status_code in {403, 404, 405}, (name, answer.status_code)
            assert MARKER not in answer.content.decode().lower(), name


def test_filters_offer_no_foreign_choice(ours: World, foreign: World) -> None:
    client, seen = ours.client(ours.owner), 0
    for model in MODELS:
        answer = client.get(admin_url(model, "changelist"), follow=True)
        changes = answer.context and answer.context.get("cl")
        offered = [str(one) for spec in changes.filter_specs for one in spec.choices(changes)] if changes else []
        assert not [text for text in offered if MARKER in text.lower()], model
        seen += sum(ours.marker in text for text in offered)
    assert seen


def test_an_export_holds_what_its_list_holds(ours: World, foreign: World) -> None:
    client = ours.client(ours.owner)
    for model in MODELS:
        answer = client.get(admin_url(model, "export"))
        assert answer.status_code == 200, model
        text = b"".join(answer.streaming_content).decode()
        assert MARKER not in text.lower(), model
        assert len(list(csv.reader(io.StringIO(text)))) >= 2, model
        assert "<" not in text, (model, text)


@pytest.mark.parametrize("query", ["alert", "group"])
def test_no_foreign_alert_is_explained(query: str, ours: World, foreign: World) -> None:
    row = foreign.rows[{"alert": Alert, "group": AlertGroup}[query]]
    answer = ours.client(ours.owner).get(reverse("admin:explain"), {query: str(row.pk)})
    assert answer.status_code == 404


def test_history_of_every_kind_speaks_of_ours_only(ours: World, foreign: World) -> None:
    for model in MODELS:
        body = ours.client(ours.owner).get(ours.url(model, "history"), follow=True).content.decode().lower()
        assert MARKER not in body, model


def test_a_person_without_any_permission_sees_nothing(ours: World) -> None:
    with_context(ours, lambda: accounts.set_permissions(Role.objects.get(name="viewer"), frozenset()))
    client = ours.client(ours.viewer)
    for model in MODELS:
        pages = [admin_url(model, page) for page in ("changelist", "export", "add")]
        for url in (*pages, ours.url(model), ours.url(model, "history"), ours.url(model, "delete")):
            answer = client.get(url, follow=True)
            assert answer.status_code == 403, url
            assert f">{ours.marker}" not in answer.content.decode(), url
