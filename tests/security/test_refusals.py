"""Every refusal of every write route says which field, what it takes, and which bound was passed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from alerting import backlog, rate_limit
from tests.factories import make_tenant
from tests.security import corpus
from tests.security.house import House

pytestmark = pytest.mark.django_db
#: Words of libraries, which say what is wrong but not what to do.
STOCK = (
    *("This field", "Ensure ", "Invalid data", "Not a valid", "Must be a valid", "A valid ", "wrong format"),
    *("valid choice", "Enter a valid", "Expected `"),
)
#: By JSON type of the document: values of every other kind, silently turned into it by a lax reader.
OTHERS: dict[str, list[Any]] = {
    "string": [7, True, ["x"], {"a": 1}],
    "integer": ["7", "\u0667", True, 1.5, [1], {}],
    "number": ["0.5", "\u0667", True, [1], {}],
    "boolean": ["yes", "true", 1, 0, "", [True], {}],
    "array": ["x", 7, True, {"a": 1}],
    "object": ["x", 7, True, [1]],
}


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    backlog.forget()
    rate_limit.forget()


@pytest.fixture
def house() -> House:
    return House(make_tenant())


class Document:
    """The OpenAPI document, for finding out what each route takes."""

    def __init__(self) -> None:
        self.whole: dict[str, Any] = SchemaGenerator().get_schema(public=True)

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema or len(schema.get("allOf", ())) == 1:
            name = schema.get("$ref") or schema["allOf"][0].get("$ref", "")
            schema = self.whole["components"]["schemas"][name.rsplit("/", 1)[1]]
        return schema

    def routes(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Each configuration route with the fields of its body."""
        for path, item in sorted(self.whole["paths"].items()):
            for method in ("post", "patch"):
                content = item.get(method, {}).get("requestBody", {}).get("content", {})
                fields = self.resolve(content.get(corpus.JSON, {}).get("schema", {})).get("properties", {})
                if fields and path not in DOORS:
                    yield path, method, {name: self.resolve(field) for name, field in fields.items()}


#: These do not go through serializers; tests/security/test_bad_input_intake.py has them.
DOORS = ("/api/v1/alerts", "/api/v1/integrations/alertmanager", "/api/v1/metrics")


def faults_of(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [fault for fault in document["errors"] if fault["pointer"].split("/")[1:2] == [name]]


def json_type(field: dict[str, Any]) -> str:
    kind = field.get("type", "")
    kinds = kind if isinstance(kind, list) else [kind]
    named = [one for one in kinds if one != "null"]
    return named[0] if len(named) == 1 and field.get("format") != "decimal" else ""


def test_fields_take_their_own_kind_only_and_say_what_it_is(house: House) -> None:
    silent, vague = [], []
    for path, method, fields in Document().routes():
        url = house.address(path)

        def send(body: Any, method: str = method, url: str = url) -> tuple[int, dict[str, Any]]:
            rate_limit.forget()
            answer = house.client.generic(method.upper(), url, json.dumps(body).encode(), corpus.JSON)
            document: dict[str, Any] = answer.json() if answer.content else {}
            if answer.status_code == 400:
                told = (fault["message"] for fault in document["errors"])
                odd = [one[:200] for one in told if any(words in one for words in STOCK) or len(one) > 700]
                vague.extend((method, url, str(body)[:60], one) for one in odd)
            return answer.status_code, document

        for body in ({}, [], {"no_such_field": 1}):
            send(body)
        for name, field in fields.items():
            for value in (None, "", "x" * 5_000):
                send({name: value})
            for value in OTHERS.get(json_type(field), []):
                status, document = send({name: value})
                is_told = status in {404, 409} or (status == 400 and faults_of(document, name))
                if not is_told:
                    silent.append((method, path, name, value, status))
    assert silent == []
    assert vague == [], "\n".join(map(str, vague))


def test_a_bound_that_was_passed_is_named(house: House) -> None:
    def fault(path: str, body: dict[str, Any], name: str) -> tuple[str, Any, str]:
        answer = house.client.post(f"/api/v1/{path}", body, corpus.JSON)
        found = faults_of(answer.json(), name)[0]
        return found["code"], found["limit"], found["message"]

    rule = {"name": "x", "source_matchers": [], "target_matchers": []}
    code, limit, told = fault("inhibition-rules", rule, "source_matchers")
    assert (code, limit) == ("min_length", 1)
    assert "at least one matcher" in told
    code, limit, told = fault("grouping-rules", {"name": "x" * 81}, "name")
    assert (code, limit, "80" in told) == ("max_length", 80, True)
    code, limit, told = fault("grouping-rules", {"position": -1}, "position")
    assert (code, limit, "at least 0" in told) == ("min_value", 0, True)
    _code, _limit, told = fault("thresholds", {"severity": "apocalyptic"}, "severity")
    assert "info, warning, error, critical" in told
    _code, _limit, told = fault("enrichment-steps", {"name": "x", "kind": "nope", "settings": {"a": 1}}, "kind")
    assert "static, extract, lookup" in told


def test_an_address_that_is_refused_says_by_which_rule(house: House, settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK, settings.EGRESS_ALLOW_HTTP, settings.EGRESS_EXTRA_PORTS = False, False, ()

    def told(url: str) -> str:
        body = {"name": "x", "kind": "webhook", "settings": {"url": url}}
        answer = house.client.post("/api/v1/channels", body, corpus.JSON)
        return str(next(one["message"] for one in answer.json()["errors"] if one["pointer"] == "/settings/url"))

    assert "begin with https://" in told("http://example.org/")
    assert "allowed are: 443, 8443" in told("https://example.org:22/")
    inner = {
        told(f"https://{host}/") for host in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "[fc00::1]", "localhost")
    }
    # One text for all of them: it tells nobody what stands at an address.
    assert len(inner) == 1
    assert "reachable on the internet" in inner.pop()
