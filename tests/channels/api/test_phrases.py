"""A tenant's own phrases over REST, and the language and time zone of channels."""

import pytest

from channels.languages import Voice, overrides
from channels.languages.overrides import tenant_words
from tenants.context import tenant_context
from tests.factories import Api, make_api

pytestmark = pytest.mark.django_db
URL = "/api/v1/phrases"
JSON = "application/json"
PHRASE = {"locale": "fr", "key": "status.firing", "text": "ça brûle"}


@pytest.fixture
def api() -> Api:
    overrides.forget()
    return make_api()


def test_a_phrase_is_made_heard_changed_and_taken_back(api: Api) -> None:
    made = api.client.post(URL, PHRASE, JSON)
    assert made.status_code == 201, made.json()
    assert made.json()["built_in"] == "en cours"
    url = f"{URL}/{made.json()['id']}"
    with tenant_context(api.tenant.pk):
        assert Voice("fr", words=tenant_words(is_fresh=True)).t("status.firing") == "ça brûle"
    assert api.client.patch(url, {"text": "au feu"}, JSON).json()["text"] == "au feu"
    assert api.client.get(URL, {"locale": "fr"}).json()["results"][0]["text"] == "au feu"
    assert api.client.get(URL, {"locale": "de"}).json()["results"] == []
    assert api.client.delete(url).status_code == 204
    with tenant_context(api.tenant.pk):
        assert Voice("fr", words=tenant_words(is_fresh=True)).t("status.firing") == "en cours"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"text": "{who}"}, "/text"), ({"key": "x"}, "/key"), ({"locale": "xx"}, "/locale"), ({"more": 1}, "/more")],
)
def test_what_is_wrong_is_pointed_at(changes: dict[str, object], pointer: str, api: Api) -> None:
    answer = api.client.post(URL, PHRASE | changes, JSON)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_there_is_one_phrase_of_a_kind(api: Api) -> None:
    assert api.client.post(URL, PHRASE, JSON).status_code == 201
    assert api.client.post(URL, PHRASE, JSON).status_code in {400, 409}


def test_a_preview_saves_nothing(api: Api) -> None:
    answer = api.client.post(f"{URL}/preview", PHRASE, JSON).json()
    assert (answer["built_in"], answer["sentence"], answer["faults"]) == ("en cours", "ça brûle", {})
    assert "ÇA BRÛLE" in answer["messages"]["email"]
    assert api.client.get(URL).json()["results"] == []
    wrong = api.client.post(f"{URL}/preview", PHRASE | {"text": "{who}"}, JSON).json()
    assert list(wrong["faults"]) == ["text"]


def test_the_phrases_there_are_can_be_listed(api: Api) -> None:
    answer = api.client.get(f"{URL}/known", {"locale": "fr"}).json()
    assert answer["locale"] == "fr"
    assert {"key": "counts.alerts.one", "text": "{n} alerte", "names": ["n"]} in answer["phrases"]


def test_a_channel_has_a_time_zone_of_its_own(api: Api) -> None:
    hook = {"name": "hook", "kind": "webhook", "settings": {"url": "https://example.org/hook"}}
    hook |= {"credentials": {"secrets": ["whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVg=="]}, "time_zone": "Mars/Base"}
    refused = api.client.post("/api/v1/channels", hook, JSON)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/time_zone"]
    made = api.client.post("/api/v1/channels", hook | {"time_zone": "Asia/Tokyo", "locale": "it"}, JSON).json()
    assert (made["time_zone"], made["locale"]) == ("Asia/Tokyo", "it")
