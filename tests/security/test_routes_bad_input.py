"""The corpus against every route of the API, found through its OpenAPI document: so a new route is a new test."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from alerting import backlog, rate_limit
from alerting.models import Alert, AlertGroup, IntakeRequest, QuarantinedAlert
from channels.models import Delivery
from channels.templating.samples import sample_message
from tenants import keys
from tenants.context import tenant_context
from tenants.isolation import new_id
from tenants.models import ApiKey, Tenant
from tests.factories import make_api, make_member, make_tenant
from tests.security import corpus

pytestmark = pytest.mark.django_db
WRITES = ("post", "patch", "put")
MATCHERS = [{"name": "team", "op": "=", "value": "a"}]
HOOK = {"kind": "webhook", "settings": {"url": "https://example.org/"}}
HOOK["credentials"] = {"secrets": ["whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVg=="]}


def operations() -> list[tuple[str, str]]:
    """Every address of the API with each of its methods."""
    paths: dict[str, Any] = SchemaGenerator().get_schema(public=True)["paths"]
    return sorted((path, method) for path, item in paths.items() for method in item)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    backlog.forget()
    rate_limit.forget()
    yield
    backlog.forget()
    rate_limit.forget()


class House:
    """A tenant with one row of everything, and its owner signed in."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.client = Client(raise_request_exception=False)
        self.client.force_login(make_member(tenant, "owner"))
        self.ids = {name: self._make(name, body) for name, body in self._bodies()}
        with tenant_context(tenant.pk):
            self.ids |= self._rows()

    def address(self, path: str) -> str:
        """The path with the id of a row of this tenant in it."""
        return path.replace("{id}", str(self.ids.get(path.split("/")[3], "")))

    def _make(self, name: str, body: dict[str, Any]) -> str:
        answer = self.client.post(f"/api/v1/{name}", body, corpus.JSON)
        assert answer.status_code == 201, (name, answer.json())
        return str(answer.json()["id"])

    def _bodies(self) -> Iterator[tuple[str, dict[str, Any]]]:
        ends_at = (timezone.now() + timedelta(hours=1)).isoformat()
        window = {"start_date": "2026-01-04", "start_time": "02:00", "duration": 3600, "matchers": MATCHERS}
        yield "channels", {"name": "hook", **HOOK}
        yield "templates", {"name": "mine", "kind": "email", "parts": {"subject": "x"}}
        yield "routes", {"name": "root", "parent": None}
        yield "grouping-rules", {"name": "rule", "group_by": ["team"]}
        yield "enrichment-steps", {"name": "site", "kind": "static", "settings": {"labels": {"site": "eu"}}}
        yield "inhibition-rules", {"name": "rule", "source_matchers": MATCHERS, "target_matchers": MATCHERS}
        yield "maintenance-windows", {"name": "window", **window}
        yield "silences", {"matchers": MATCHERS, "ends_at": ends_at, "comment": "x"}
        yield "api-keys", {"name": "key", "scopes": ["alerts:read"]}
        yield "roles", {"name": "mine", "permissions": []}

    def _rows(self) -> dict[str, Any]:
        group = AlertGroup.objects.create(key=new_id().bytes, labels={"team": "a"}, title="g", severity=20)
        alert = Alert.objects.create(
            fingerprint=new_id().bytes, status="firing", severity=20, labels={}, annotations={}, starts_at=timezone.now()
        )
        delivery = Delivery.objects.create(
            channel_id=self.ids["channels"],
            recipient="r",
            kind="notification",
            reason="first",
            dedup_key=b"d",
            message=sample_message().to_json(),
            expires_at=timezone.now(),
        )
        item = QuarantinedAlert.objects.create(source="native", item_index=0, raw=b"{}", errors=[])
        intake = IntakeRequest.objects.create(source="native", body_sha256=b"", accepted=1, trace_id="")
        members = self.client.get("/api/v1/members").json()["results"]
        audit = self.client.get("/api/v1/audit").json()["results"]
        made = {"groups": group, "alerts": alert, "deliveries": delivery, "quarantine": item, "intake": intake}
        return {name: row.pk for name, row in made.items()} | {"members": members[0]["id"], "audit": audit[0]["id"]}


@pytest.fixture
def house() -> House:
    return House(make_tenant())


def call(client: Client, method: str, url: str, body: bytes = b"", **options: Any) -> Any:
    return client.generic(method.upper(), url, body, options.pop("content_type", corpus.JSON), **options)


def test_every_bad_body_is_refused_by_every_write_route(house: House) -> None:
    wrong: dict[str, dict[str, int]] = {}
    for path, method in operations():
        if method not in WRITES:
            continue
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


@pytest.mark.parametrize("identifier", corpus.IDENTIFIERS, ids=[text[:20] for text in corpus.IDENTIFIERS])
def test_odd_ids_do_not_exist(house: House, identifier: str) -> None:
    addressed = [(path, method) for path, method in operations() if "{id}" in path]
    answers = {
        f"{method} {path}": call(house.client, method, path.replace("{id}", identifier), b"{}").status_code
        for path, method in addressed
    }
    assert {name: status for name, status in answers.items() if status != 404} == {}


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


@pytest.mark.parametrize("pattern", corpus.PATTERNS, ids=[text.encode("unicode-escape")[:20] for text in corpus.PATTERNS])
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
def test_expressions_outside_re2_are_refused(house: House, pattern: str, name: str, field: str) -> None:
    body = json.dumps({field: [{"name": "a", "op": "=~", "value": pattern}]}).encode()
    answer = call(house.client, "patch", f"/api/v1/{name}/{house.ids[name]}", body)
    assert answer.status_code == 400, answer.content


@pytest.mark.parametrize("address", corpus.ADDRESSES)
def test_addresses_inside_are_refused(house: House, address: str, settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = False
    body = {"name": "x", **HOOK, "settings": {"url": address}}
    answer = house.client.post("/api/v1/channels", body, corpus.JSON)
    assert answer.status_code in {201, 400}
    if answer.status_code == 201:
        # A name may only be judged when it is resolved, at each send: no literal address gets this far.
        assert address in {"http://metadata.google.internal/"}


@pytest.mark.parametrize("source", corpus.TEMPLATES)
def test_hostile_templates_are_refused(house: House, source: str) -> None:
    body = {"name": "evil", "kind": "email", "parts": {"subject": source}}
    answer = house.client.post("/api/v1/templates", body, corpus.JSON)
    assert answer.status_code == 400, answer.json()
    preview = house.client.post("/api/v1/templates/preview", {"kind": "email", "parts": body["parts"]}, corpus.JSON)
    assert preview.status_code == 200
    assert preview.json()["problems"]["subject"]


@pytest.mark.parametrize("name", corpus.TEXTS)
def test_odd_texts_as_names_come_back_as_they_went_in(house: House, name: str) -> None:
    text = corpus.TEXTS[name][:80].strip() or "x"
    answer = house.client.post("/api/v1/grouping-rules", {"name": text, "group_by": ["a"]}, corpus.JSON)
    assert answer.status_code == 201, answer.json()
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["name"] == text


@pytest.mark.parametrize("slash", ["", "/"])
def test_both_spellings_of_an_address_take_a_body(house: House, slash: str) -> None:
    answer = house.client.post(f"/api/v1/grouping-rules{slash}", {"name": "x", "group_by": ["a"]}, corpus.JSON)
    assert answer.status_code == 201
