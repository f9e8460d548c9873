"""The corpus against every route of the API, found through its OpenAPI document: so a new route is a new test."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from tenants import keys
from tenants.context import tenant_context
from tenants.isolation import new_id
from tenants.models import ApiKey, Tenant
from tests.factories import Api, make_api, make_tenant
from tests.security import corpus
from tests.security.house import HOOK, House

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_limits")]
WRITES = ("post", "patch", "put")


def operations() -> list[tuple[str, str]]:
    """Every address of the API with each of its methods."""
    paths: dict[str, Any] = SchemaGenerator().get_schema(public=True)["paths"]
    return sorted((path, method) for path, item in paths.items() for method in item)


def json_operations() -> list[tuple[str, str]]:
    """Those that write, but for bodies in another format (Prometheus's protobuf has tests of its own)."""
    paths: dict[str, Any] = SchemaGenerator().get_schema(public=True)["paths"]
    taken = {
        (path, method): item[method].get("requestBody", {}).get("content", {corpus.JSON: {}})
        for path, item in paths.items()
        for method in WRITES
        if method in item
    }
    return sorted(operation for operation, content in taken.items() if corpus.JSON in content)


@pytest.fixture
def house() -> House:
    return House(make_tenant())


@pytest.fixture
def api() -> Api:
    return make_api()


def call(client: Client, method: str, url: str, body: bytes = b"", **options: Any) -> Any:
    return client.generic(method.upper(), url, body, options.pop("content_type", corpus.JSON), **options)


def test_every_bad_body_is_refused_by_every_write_route(house: House) -> None:
    wrong: dict[str, dict[str, int]] = {}
    for path, method in json_operations():
        url = house.address(path)

        def send(bad: corpus.BadBody, method: str = method, url: str = url) -> int:
            options = {"content_type": bad.content_type, "headers": dict(bad.headers)}
            answer = call(house.client, method, url, bad.body, **options)
            assert answer["Content-Type"] == "application/problem+json", (url, bad.name, answer.content[:200])
            return int(answer.status_code)

        if found := corpus.replay(send):
            wrong[f"{method} {path}"] = found
    assert wrong == {}


def test_every_odd_query_is_refused_by_every_list(house: House) -> None:
    lists = [path for path, method in operations() if method == "get" and "{id}" not in path]
    wrong = {}
    for path in lists:
        for query in corpus.QUERIES:
            answer = house.client.get(f"{path}?{query}")
            if answer.status_code != 400:
                wrong[f"{path}?{query[:60]}"] = answer.status_code
    assert wrong == {}


def test_odd_ids_do_not_exist(house: House) -> None:
    addressed = [(path, method) for path, method in operations() if "{id}" in path]
    wrong = {}
    for path, method in addressed:
        for identifier in corpus.IDENTIFIERS:
            answer = call(house.client, method, path.replace("{id}", identifier), b"{}")
            if answer.status_code != 404:
                wrong[f"{method} {path} {identifier[:20]}"] = answer.status_code
    assert wrong == {}


def test_methods_an_address_does_not_take_are_refused(house: House) -> None:
    taken: dict[str, set[str]] = {}
    for path, method in operations():
        taken.setdefault(path, {"head"}).add(method)
    wrong = {}
    for path, methods in taken.items():
        for method in {"get", "head", "options", "post", "put", "patch", "delete", "trace", "odd"} - methods:
            answer = call(house.client, method, house.address(path), b"{}")
            status = answer.status_code
            if status != 405 and not (method == "options" and status == 200):
                wrong[f"{method} {path}"] = status
            elif status == 405:
                named = {one.upper() for one in methods - {"head"}}
                if not named <= set(answer["Allow"].split(", ")) or not all(
                    n in answer.json()["detail"] for n in named
                ):
                    wrong[f"{method} {path}"] = answer.json()["detail"]
    assert wrong == {}


def test_rows_of_another_tenant_do_not_exist_for_any_route(house: House) -> None:
    theirs = House(make_tenant())
    wrong = {}
    for path, method in operations():
        if "{id}" not in path:
            continue
        answer = call(house.client, method, theirs.address(path), b"{}")
        if answer.status_code != 404:
            wrong[f"{method} {path}"] = answer.status_code
    assert wrong == {}


def invalid_tokens() -> dict[str, str | None]:
    """Tokens that are refused, by what is wrong with them."""
    good, revoked, expired, closed = (make_api() for _number in range(4))
    with tenant_context(revoked.tenant.pk):
        keys.revoke(revoked.principal, ApiKey.objects.get())
    with tenant_context(expired.tenant.pk):
        ApiKey.objects.update(expires_at=timezone.now() - timedelta(days=1))
    Tenant.objects.filter(pk=closed.tenant.pk).update(is_active=False)
    for api in (revoked, expired, closed):
        keys.forget(api.token.split("_")[2])
    return {
        "missing": None,
        "empty": "",
        "wrong secret": good.token[:-10] + "A" * 10,
        "unknown prefix": f"ak_test_{'Z' * 8}_{'Z' * 38}",
        "odd": "\xff",
        "long": "x" * 10_000,
        "revoked": revoked.token,
        "expired": expired.token,
        "inactive tenant": closed.token,
    }


def test_keys_that_are_no_good_all_look_the_same_everywhere() -> None:
    client = Client(raise_request_exception=False)
    tokens = invalid_tokens()
    for path, method in operations():
        url = path.replace("{id}", str(new_id()))
        answers = set()
        for token in tokens.values():
            headers = {} if token is None else {"Authorization": f"Api-Key {token}"}
            answer = call(client, method, url, b"{}", headers=headers)
            document = answer.json() | {"trace_id": ""}
            answers.add((answer.status_code, answer["WWW-Authenticate"], json.dumps(document, sort_keys=True)))
        assert len(answers) == 1, (method, path, answers)
        assert next(iter(answers))[0] == 401, (method, path)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("routes", "matchers"),
        ("grouping-rules", "matchers"),
        ("enrichment-steps", "matchers"),
        ("inhibition-rules", "target_matchers"),
        ("maintenance-windows", "matchers"),
    ],
)
def test_expressions_outside_re2_are_refused(house: House, name: str, field: str) -> None:
    def status(pattern: str) -> int:
        body = json.dumps({field: [{"name": "a", "op": "=~", "value": pattern}]}).encode()
        return int(call(house.client, "patch", f"/api/v1/{name}/{house.ids[name]}", body).status_code)

    assert {pattern: status(pattern) for pattern in corpus.PATTERNS} == dict.fromkeys(corpus.PATTERNS, 400)


def test_addresses_inside_are_refused(api: Api, settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = False
    taken = []
    for number, address in enumerate(corpus.ADDRESSES):
        body = {"name": f"hook {number}", **HOOK, "settings": {"url": address}}
        answer = api.client.post("/api/v1/channels", body, corpus.JSON)
        assert answer.status_code in {201, 400}, address
        if answer.status_code == 201:
            taken.append(address)
    # A name is judged by what it resolves to, at each send: no literal address gets this far.
    assert set(taken) <= {"http://metadata.google.internal/"}


def test_hostile_templates_are_refused(api: Api) -> None:
    for source in corpus.TEMPLATES:
        body = {"name": "evil", "kind": "email", "parts": {"subject": source}}
        assert api.client.post("/api/v1/templates", body, corpus.JSON).status_code == 400, source
        preview = {"kind": "email", "parts": body["parts"]}
        shown = api.client.post("/api/v1/templates/preview", preview, corpus.JSON)
        assert shown.status_code == 200, source
        assert shown.json()["problems"]["subject"], source


def test_odd_texts_as_names_come_back_as_they_went_in(api: Api) -> None:
    for text in corpus.TEXTS.values():
        name = text[:80].strip() or "x"
        answer = api.client.post("/api/v1/grouping-rules", {"name": name, "group_by": ["a"]}, corpus.JSON)
        assert answer.status_code == 201, answer.json()
        assert answer["Content-Type"] == "application/json"
        assert answer.json()["name"] == name


@pytest.mark.parametrize("slash", ["", "/"])
def test_both_spellings_of_an_address_take_a_body(api: Api, slash: str) -> None:
    answer = api.client.post(f"/api/v1/grouping-rules{slash}", {"name": "x", "group_by": ["a"]}, corpus.JSON)
    assert answer.status_code == 201
