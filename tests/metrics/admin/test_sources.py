"""Metric sources in the admin, with their button."""

import json
import re
from typing import Any

import pytest
from django.urls import reverse

from channels.admin.struct_fields import PairsField
from metrics.admin.source_form import SourceForm
from metrics.collecting import collect_shard
from metrics.collectors import registry
from metrics.models import Source
from tenants.context import tenant_context
from tenants.models import AuditEntry
from tests.alerting.admin.world import World, admin_url
from tests.fakes.http import FakeServer, Reply, Request
from tests.metrics.collecting.making import make_due

SECRET = "token-nobody-may-see"
ADD = {
    "name": "new source",
    "kind": "json",
    "settings__json__url": "https://api.example.com/queue",
    "settings__json__items": "@",
    "settings__json__values": "depth = queue.depth\nage = queue.age",
    "settings__json__method": "GET",
    "credentials__json__token": SECRET,
    "labels": "site = eu",
    "interval": "30s",
    "timeout": "10",
    "is_active": "on",
}


def post(world: World, url: str, data: dict[str, Any], user: Any = None) -> Any:
    return world.client(user or world.owner).post(url, data)


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def source(world: World, name: str = "new source") -> Source:
    with tenant_context(world.tenant.pk):
        return Source.objects.get(name=name)


def test_a_source_is_made_from_the_fields_of_its_kind(ours: World) -> None:
    assert post(ours, admin_url(Source, "add"), ADD | {"settings__sql__host": "x"}).status_code == 302
    made = source(ours)
    assert made.settings["values"] == {"depth": "queue.depth", "age": "queue.age"}
    assert "host" not in made.settings
    assert json.loads(made.credentials) == {"token": SECRET}
    assert (made.labels, made.interval.total_seconds()) == ({"site": "eu"}, 30)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"settings__json__url": "http://169.254.169.254/"}, "settings__json__url"),
        ({"settings__json__url": ""}, "settings__json__url"),
        ({"settings__json__values": "depth"}, "settings__json__values"),
        ({"settings__json__values": "a = b\na = c"}, "settings__json__values"),
        ({"settings__json__values": "a = ["}, "settings__json__values"),
        ({"settings__json__values": ""}, "settings__json__values"),
        ({"labels": "a-b = c"}, "labels"),
        ({"interval": "1s"}, "interval"),
        ({"interval": "soon"}, "interval"),
        ({"timeout": "99"}, "timeout"),
        ({"kind": "pigeon"}, "kind"),
        ({"name": "source Ourmarker"}, "name"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(change: dict[str, str], field: str, ours: World) -> None:
    assert field in errors(post(ours, admin_url(Source, "add"), ADD | change))


def test_all_that_is_missing_is_told_at_once(ours: World) -> None:
    wanted = {f"settings__sql__{name}" for name in ("host", "database", "query")} | {"credentials__sql__user"}
    assert wanted <= set(errors(post(ours, admin_url(Source, "add"), {**ADD, "kind": "sql"})))


def test_secrets_are_never_shown_again(ours: World) -> None:
    post(ours, admin_url(Source, "add"), ADD)
    pk = source(ours).pk
    for person in (ours.owner, ours.viewer):
        assert SECRET not in ours.client(person).get(admin_url(Source, "change", pk)).content.decode()
    assert SECRET not in ours.client(ours.owner).get(admin_url(Source, "history", pk)).content.decode()
    with tenant_context(ours.tenant.pk):
        assert SECRET not in json.dumps(list(AuditEntry.objects.values_list("before", "after")))


def test_stored_secrets_stay_until_others_are_given(ours: World) -> None:
    post(ours, admin_url(Source, "add"), ADD)
    url = admin_url(Source, "change", source(ours).pk)
    assert post(ours, url, ADD | {"timeout": "5", "credentials__json__token": ""}).status_code == 302
    assert json.loads(source(ours).credentials) == {"token": SECRET}
    assert post(ours, url, ADD | {"credentials__json__token": "fresh"}).status_code == 302
    assert json.loads(source(ours).credentials) == {"token": "fresh"}
    forget = {"credentials__json__token": "", "forget_credentials": "on"}
    assert post(ours, url, ADD | forget).status_code == 302
    assert source(ours).credentials == ""


def test_stored_secrets_are_not_told_to_another_place(ours: World) -> None:
    post(ours, admin_url(Source, "add"), ADD)
    url = admin_url(Source, "change", source(ours).pk)
    moved = ADD | {"settings__json__url": "https://evil.example.net/", "credentials__json__token": ""}
    assert "credentials__json__token" in errors(post(ours, url, moved))
    assert source(ours).settings["url"] == ADD["settings__json__url"]
    assert post(ours, url, moved | {"credentials__json__token": "other"}).status_code == 302
    assert json.loads(source(ours).credentials) == {"token": "other"}


def test_the_button_shows_what_is_there_before_anything_is_saved(ours: World) -> None:
    seen: list[str] = []

    def application(request: Request) -> Reply:
        seen.append(request.headers.get("authorization", ""))
        return Reply(body=b'{"queue": {"depth": 42, "age": 7}}')

    with FakeServer(application) as server:
        data = ADD | {"settings__json__url": server.url, "name": ""}
        answer = post(ours, reverse("admin:metrics_source_try_new"), data)
    body = answer.content.decode()
    assert answer.status_code == 200
    assert "42.0" in body
    assert "<i>site</i>eu" in body
    assert "2 values in 2 series" in body
    assert seen == [f"Bearer {SECRET}"]
    with tenant_context(ours.tenant.pk):
        assert Source.objects.count() == 1


def test_the_button_tells_what_is_wrong(ours: World) -> None:
    url = reverse("admin:metrics_source_try_new")
    assert "This address is not allowed: " in post(
        ours, url, ADD | {"settings__json__url": "http://10.0.0.1/"}
    ).content.decode().replace("&#x27;", "'")
    with FakeServer(lambda request: Reply(401)) as server:
        answer = post(ours, url, ADD | {"settings__json__url": server.url})
    assert "refuses the credentials" in answer.content.decode()


def test_the_button_of_a_stored_source_uses_its_secrets_at_its_own_place_only(ours: World) -> None:
    seen: list[str] = []

    def application(request: Request) -> Reply:
        seen.append(request.headers.get("authorization", ""))
        return Reply(body=b'{"queue": {"depth": 1, "age": 2}}')

    with FakeServer(application) as own, FakeServer(application) as other:
        post(ours, admin_url(Source, "add"), ADD | {"settings__json__url": own.url})
        url = reverse("admin:metrics_source_try", args=[source(ours).pk])
        stored = ADD | {"credentials__json__token": ""}
        assert "2 values" in post(ours, url, stored | {"settings__json__url": own.url}).content.decode()
        moved = post(ours, url, stored | {"settings__json__url": other.url}).content.decode()
    assert "give the credentials again" in moved
    assert seen == [f"Bearer {SECRET}"]


def test_a_viewer_and_a_stranger_press_no_button(ours: World, foreign: World) -> None:
    pk = ours.rows[Source].pk
    assert post(ours, reverse("admin:metrics_source_try_new"), ADD, ours.viewer).status_code == 403
    assert post(ours, reverse("admin:metrics_source_try", args=[pk]), ADD, ours.viewer).status_code == 403
    assert post(foreign, reverse("admin:metrics_source_try", args=[pk]), ADD).status_code == 404


def test_the_page_tells_how_a_source_is_doing(ours: World) -> None:
    with FakeServer(lambda request: Reply(body=b'{"queue": {"depth": 42}}')) as server:
        post(ours, admin_url(Source, "add"), ADD | {"settings__json__url": server.url})
        make_due(source(ours))
        collect_shard()
    for page in (admin_url(Source, "change", source(ours).pk), admin_url(Source, "changelist")):
        body = ours.client(ours.owner).get(page).content.decode()
        assert "degraded" in body
        assert "1 value is missing or no number." in body


def test_the_page_tells_when_a_failing_source_is_asked_again(ours: World) -> None:
    with FakeServer(lambda request: Reply(429, headers={"Retry-After": "1800"})) as server:
        post(ours, admin_url(Source, "add"), ADD | {"settings__json__url": server.url})
        make_due(source(ours))
        collect_shard()
    body = ours.client(ours.owner).get(admin_url(Source, "change", source(ours).pk)).content.decode()
    wait = re.search(r"Asked again</dt><dd><time [^>]*>in (\d+) (min|h)</time>", body)
    assert wait is not None
    # Half an hour with its jitter; without the provider's word it would be about a minute.
    assert wait[2] == "h" or int(wait[1]) >= 20


def test_every_kind_has_its_fields() -> None:
    form = SourceForm.of_kinds(registry.kinds(), is_new=True)
    wanted = {"settings__prometheus__queries", "settings__exposition__metrics", "settings__sql__query"}
    assert wanted | {"credentials__sql__password"} <= set(form.base_fields)


@pytest.mark.parametrize("text", ["a = b = c", "  a=b=c\n\n"])
def test_only_the_first_sign_parts_a_pair(text: str) -> None:
    assert PairsField().clean(text) == {"a": "b = c" if " = c" in text else "b=c"}
