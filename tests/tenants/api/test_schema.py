"""The OpenAPI document: complete, valid, and shown on a page of our own."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(public=True)


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{method} {path}", one) for path, item in document["paths"].items() for method, one in item.items()]


def test_it_is_valid_and_made_without_a_warning() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())


def test_every_operation_says_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for label, operation in operations(document):
        assert operation.get("summary"), label
        assert operation["security"] == [{"ApiKey": []}], label
        answers = operation["responses"]
        assert {"400", "401", "403"} <= answers.keys(), label
        assert [code for code in answers if code.startswith("2")], label
        for code, answer in answers.items():
            if code >= "400":
                assert "application/problem+json" in answer["content"], (label, code)


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _label, operation in operations(document)]
    assert len(names) == len(set(names))


def test_addresses_are_documented_without_their_final_slash(document: dict[str, Any]) -> None:
    assert not [path for path in document["paths"] if path.endswith("/")]


def test_credentials_are_in_no_answer(document: dict[str, Any]) -> None:
    outputs = {name: one for name, one in document["components"]["schemas"].items() if not name.endswith("Request")}
    holding = [name for name, one in outputs.items() if "credentials" in one.get("properties", {})]
    assert holding == []


@pytest.mark.django_db
def test_the_docs_page_comes_without_a_foreign_host() -> None:
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert "swagger-ui" in text
    assert "//cdn" not in text
    assert Client().get("/api/v1/schema").status_code == 200
