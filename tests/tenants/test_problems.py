"""Every error of the API is one kind of document and tells nothing of the inside."""

import re
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings

from tenants.api.parsers import StrictRequestMiddleware, read_body
from tenants.api.problem_kinds import KINDS
from tenants.api.problems import Problem
from tests.tenants.problem_urls import ERRORS


@pytest.fixture
def client(settings: Any) -> Client:
    settings.ROOT_URLCONF = "tests.tenants.problem_urls"
    settings.MIDDLEWARE = ["tenants.api.parsers.StrictRequestMiddleware"]
    return Client(raise_request_exception=False)


EXPECTED = {
    "problem": (409, "conflict"),
    "refused": (400, "empty"),
    "invalid": (400, "invalid"),
    "invalid-list": (400, "invalid"),
    "invalid-model": (400, "invalid"),
    "invalid-plain": (400, "invalid"),
    "not-authenticated": (401, "not_authenticated"),
    "authentication-failed": (401, "not_authenticated"),
    "forbidden": (403, "forbidden"),
    "forbidden-django": (403, "forbidden"),
    "throttled": (429, "rate_limited"),
    "parse": (400, "malformed_json"),
    "missing": (404, "not_found"),
    "missing-row": (404, "not_found"),
    "too-big": (413, "too_large"),
    "suspicious": (400, "bad_request"),
    "integrity": (409, "conflict"),
    "data": (400, "invalid"),
    "disk-full": (503, "unavailable"),
    "operational": (503, "unavailable"),
    "interface": (503, "unavailable"),
    "programming": (500, "internal_error"),
    "bug": (500, "internal_error"),
}


def test_every_failing_view_is_expected() -> None:
    assert EXPECTED.keys() == ERRORS.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_an_exception_becomes_a_document(client: Client, name: str) -> None:
    response = client.get(f"/api/v1/fail/{name}")
    document = response.json()
    assert (response.status_code, document["code"]) == EXPECTED[name]
    assert response["Content-Type"] == "application/problem+json"
    assert document["status"] == response.status_code
    assert document["type"] == f"/docs/problems#{document['code']}"
    assert document["instance"] == f"/api/v1/fail/{name}"
    assert document["title"]
    assert document["detail"]
    assert "inside words" not in response.text
    assert "secret_name" not in response.text
    assert "10.0.0.1" not in response.text


def test_a_full_disk_is_called_by_its_name_and_worth_another_try(client: Client) -> None:
    response = client.get("/api/v1/fail/disk-full")
    assert "disk is full; nothing was stored" in response.json()["detail"]
    assert int(response["Retry-After"]) >= 1
    assert "disk" not in client.get("/api/v1/fail/operational").json()["detail"]


def test_methods_an_address_takes_are_named(client: Client) -> None:
    response = client.put("/api/v1/fail/bug", b"{}", "application/json")
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, OPTIONS"
    assert response.json()["detail"] == "This address takes GET, HEAD, OPTIONS."


def test_errors_have_pointers(client: Client) -> None:
    errors = client.get("/api/v1/fail/invalid").json()["errors"]
    assert [(error["pointer"], error["message"]) for error in errors] == [
        ("/name", "name: Too long."),
        ("/routes/1/channel", "channel: Unknown."),
    ]
    errors = client.get("/api/v1/fail/invalid-list").json()["errors"]
    assert [(error["index"], error["pointer"]) for error in errors] == [(1, "/1/name")]
    errors = client.get("/api/v1/fail/invalid-model").json()["errors"]
    assert {error["pointer"] for error in errors} == {"/name", ""}


def test_item_errors_keep_index_and_limit(client: Client) -> None:
    assert client.get("/api/v1/fail/refused").json()["errors"] == [
        {"index": 3, "pointer": "/3/a", "code": "empty", "message": "a is empty", "limit": 1}
    ]


def test_extra_members_and_headers_go_along(client: Client) -> None:
    response = client.get("/api/v1/fail/problem")
    assert (response.json()["hint"], response["X-Extra"]) == ("other name", "1")


def test_all_refused_keys_look_alike(client: Client) -> None:
    missing = client.get("/api/v1/fail/not-authenticated")
    expired = client.get("/api/v1/fail/authentication-failed")
    assert missing.json() | {"instance": ""} == expired.json() | {"instance": ""}
    assert missing["WWW-Authenticate"] == expired["WWW-Authenticate"] == 'Api-Key realm="api"'


def test_waiting_times_are_told(client: Client) -> None:
    assert client.get("/api/v1/fail/throttled")["Retry-After"] == "7"
    assert int(client.get("/api/v1/fail/operational")["Retry-After"]) > 0


def test_what_nobody_foresaw_is_logged_with_its_trace(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/api/v1/fail/bug")
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/nothing", 404),
        ("/api/v1/plain/suspicious", 400),
        ("/api/v1/plain/bug", 500),
        ("/api/v1/plain/forbidden-django", 403),
        ("/api/v1/plain/too-big", 413),
    ],
)
def test_django_s_own_errors_are_documents_under_api(client: Client, path: str, status: int) -> None:
    response = client.get(path)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert response.json()["status"] == status


@pytest.mark.parametrize(("name", "status"), [("missing", 404), ("suspicious", 400), ("bug", 500)])
def test_people_get_html(client: Client, name: str, status: int) -> None:
    response = client.get(f"/people/{name}")
    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")


def test_unknown_methods_and_forms_of_answers(client: Client) -> None:
    assert client.delete("/api/v1/echo").json()["code"] == "method_not_allowed"
    assert client.get("/api/v1/echo", headers={"Accept": "text/csv"}).json()["code"] == "not_acceptable"


def post(client: Client, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
    return client.generic("POST", "/api/v1/echo", body, content_type, headers=headers)


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b'{"a":1,"a":2}', "duplicate_key", "/a"),
        (b'{"a":[1,{"b":"\\u0000"}]}', "nul_character", "/a/1/b"),
        (b'{"a":"\\udc00"}', "lone_surrogate", "/a"),
        (b'{"\\udc00":1}', "lone_surrogate", "/\\udc00"),
        (b'{"a":NaN}', "not_a_number", "/a"),
        (b'{"a":-Infinity}', "not_a_number", "/a"),
        (b'{"a":1e999}', "number_out_of_range", "/a"),
        (b'{"a":9223372036854775808}', "number_out_of_range", "/a"),
        (b'{"a":' + b"1" * 4000 + b"}", "number_out_of_range", "/a"),
    ],
)
def test_strict_json_points_to_the_fault(client: Client, body: bytes, code: str, pointer: str) -> None:
    response = post(client, body)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert response.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_json"),
        (b"{} {}", "malformed_json"),
        (b"\xef\xbb\xbf{}", "malformed_json"),
        (b'{"a":"\xff"}', "not_utf8"),
        ("{}".encode("utf-16"), "not_utf8"),
        (b"[" * 100_000, "too_deep"),
        (b"[" * 33 + b"]" * 33, "too_deep"),
    ],
)
def test_what_is_no_json_is_refused(client: Client, body: bytes, code: str) -> None:
    response = post(client, body)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_what_is_json_passes(client: Client) -> None:
    body = b'{"a":[1,-9223372036854775807,1.5,null,true,"\\ud83d\\ude00 [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]}'
    assert post(client, body).json()["a"][5].startswith("😀")
    assert post(client, b"[" * 32 + b"]" * 32).status_code == 200
    assert post(client, b"{}", "application/json; charset=UTF-8").status_code == 200


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("text/xml", {}),
        ("", {}),
        ("application/x-www-form-urlencoded", {}),
        ("multipart/form-data; boundary=x", {}),
        ("application/json; charset=utf-7", {}),
        ("application/json; charset=latin-1", {}),
        ("application/json", {"Content-Encoding": "gzip"}),
        ("application/json", {"Content-Encoding": "br"}),
    ],
)
def test_other_forms_of_bodies_are_415(client: Client, content_type: str, headers: dict[str, str]) -> None:
    response = post(client, b'{"a":"+ADw-"}', content_type, **headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_large_bodies_are_413_before_they_are_read(client: Client) -> None:
    response = post(client, b" " * 262_145)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert "262144" in response.json()["detail"]
    assert post(client, b" " * 3_000_000).status_code == 413


@pytest.mark.parametrize("length", ["-1", "abc", "1" * 30, "²"])
def test_an_odd_content_length_is_refused(client: Client, length: str) -> None:
    response = client.generic("POST", "/api/v1/echo", b"{}", "application/json", CONTENT_LENGTH=length)
    assert response.json()["code"] == "bad_request"


def test_a_body_that_ends_early_is_refused() -> None:
    request = RequestFactory().post("/api/v1/echo", {}, content_type="application/json")
    request.META["CONTENT_LENGTH"] = "10"
    request._stream = BytesIO(b"{}")
    with pytest.raises(Problem) as raised:
        read_body(request, 100)
    assert raised.value.code == "bad_request"


class Chunks:
    """What a server hands over for a chunked body: readable to its end, of unknown length."""

    def __init__(self, body: bytes) -> None:
        self.body, self.largest_read = body, 0

    def read(self, size: int) -> bytes:
        self.largest_read = max(self.largest_read, size)
        return self.body[:size]


@pytest.mark.parametrize(("size", "status"), [(10, 200), (2_000_000, 413)])
def test_chunked_bodies_are_bounded_and_get_their_length(size: int, status: int) -> None:
    chunks = Chunks(b"x" * size)
    request = RequestFactory().post("/api/v1/echo", content_type="application/json")
    del request.META["CONTENT_LENGTH"]
    request.META.update({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": chunks})

    def view(request: HttpRequest) -> HttpResponse:
        assert request.META["CONTENT_LENGTH"] == str(size)
        return HttpResponse(request.read())

    response = StrictRequestMiddleware(view)(request)
    assert response.status_code == status
    assert chunks.largest_read <= 1_048_577
    assert status == 413 or response.content == chunks.body


def test_serializers_tell_field_and_limit(client: Client) -> None:
    response = client.put("/api/v1/echo", {"name": "much too long"}, content_type="application/json")
    assert response.json()["errors"][0]["pointer"] == "/name"
    assert "5" in response.json()["detail"]


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ("ordering=nope", "unknown_parameter", "allowed are: deep, id, label"),
        ("limit=0", "bad_parameter", "from 1 to 200"),
        ("limit=201", "bad_parameter", "from 1 to 200"),
        ("limit=%D9%A3", "bad_parameter", "from 1 to 200"),
        ("limit=1&limit=2", "repeated_parameter", "once"),
        ("status=open", "bad_parameter", "firing, resolved"),
        ("id=abc", "bad_parameter", "UUID"),
        ("since=yesterday", "bad_parameter", "RFC 3339"),
        ("since=0001-01-01T00:00:00%2B14:00", "bad_parameter", "RFC 3339"),
        ("deep=1", "bad_parameter", "true or false"),
        ("text=", "bad_parameter", "1 to 10"),
    ],
)
def test_odd_queries_are_400_and_say_what_is_allowed(client: Client, query: str, code: str, says: str) -> None:
    response = client.get(f"/api/v1/echo?{query}")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, code)
    assert says in response.json()["detail"]


@pytest.mark.parametrize("query", ["text=%00", "text=a%00b", "%00=1", "text=%ff", "text=%ed%a0%80"])
def test_a_query_that_is_no_text_is_400(client: Client, query: str) -> None:
    response = client.get(f"/api/v1/echo?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "bad_query")


def test_good_queries_are_read(client: Client) -> None:
    read = client.get("/api/v1/echo?limit=5&since=2026-01-01T00:00:00+01:00&label=a&label=b&deep=true").json()
    assert read == {"limit": 5, "since": "2025-12-31T23:00:00Z", "label": ["a", "b"], "deep": True}


@override_settings(CSRF_FAILURE_VIEW="tenants.api.handlers.csrf_failure")
def test_a_missing_csrf_token_is_a_document_under_api(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.tenants.problem_urls"
    settings.MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
    response = Client(enforce_csrf_checks=True).post("/api/v1/plain/bug")
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_every_kind_of_problem_is_explained_with_its_status() -> None:
    page = (settings.BASE_DIR / "docs" / "problems.md").read_text()
    explained = dict(re.findall(r'^\| <a id="(\w+)"></a>`\1` \| (\d{3})', page, re.MULTILINE))
    assert explained == {code: str(kind.status) for code, kind in KINDS.items()}


def test_the_type_of_a_problem_leads_to_its_words() -> None:
    address, _, _code = Client().get("/api/v1/nowhere").json()["type"].partition("#")
    page = Client().get(address)
    assert page.status_code == 200
    for code, kind in KINDS.items():
        assert f'id="{code}"' in page.text
        assert str(kind.title) in page.text


def test_the_bare_address_leads_to_the_admin() -> None:
    response = Client().get("/")
    assert (response.status_code, response["Location"]) == (302, "/admin/")
