"""Each scope of an API key against each route: let in where it holds, told which scope it lacks elsewhere."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from alerting import backlog, rate_limit
from tenants.isolation import new_id
from tenants.scopes import SCOPES
from tests.factories import make_key, make_tenant
from tests.security import corpus

pytestmark = pytest.mark.django_db
METHODS = ("get", "post", "patch", "put", "delete")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    backlog.forget()
    rate_limit.forget()


@pytest.fixture
def clients() -> dict[str, Client]:
    tenant = make_tenant()
    keys = {scope: make_key(tenant, [scope]) for scope in SCOPES}
    return {
        scope: Client(headers={"Authorization": f"Api-Key {key}"}, raise_request_exception=False)
        for scope, key in keys.items()
    }


def operations() -> list[tuple[str, str]]:
    paths: dict[str, Any] = SchemaGenerator().get_schema(public=True)["paths"]
    return sorted((path, method) for path, item in paths.items() for method in METHODS if method in item)


def test_a_key_is_let_in_by_its_scope_and_told_which_it_lacks_elsewhere(clients: dict[str, Client]) -> None:
    wrong = []
    for path, method in operations():
        url = path.replace("{id}", str(new_id()))
        answers = {}
        for scope, client in clients.items():
            rate_limit.forget()
            answers[scope] = client.generic(method.upper(), url, b'{"no_such_field": 1}', corpus.JSON)
        admitted = {scope for scope, answer in answers.items() if answer.status_code != 403}
        for scope, answer in answers.items():
            if scope in admitted:
                continue
            told = answer.json()["detail"]
            names = admitted or {"No API key may do this"}
            if not all(name in told for name in names):
                wrong.append((method, path, scope, told))
        # Reading never needs a scope that writes, and no scope that only reads lets anybody write.
        if method == "get" and admitted and not any(name.endswith(":read") for name in admitted):
            wrong.append((method, path, "reading", str(admitted)))
        if method in {"patch", "put", "delete"} and {"alerts:read", "audit:read"} & admitted:
            wrong.append((method, path, "writing", str(admitted)))
    assert wrong == []
