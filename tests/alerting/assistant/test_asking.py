"""The assistant over a real connection to a fake of the endpoint, which checks what such a server checks."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from alerting.assistant.asking import ask
from alerting.assistant.provider import NoAnswer
from alerting.models import LanguageModel, TimelineEvent
from channels.egress.policy import Policy
from tests.alerting.scenes import Scene, alert
from tests.fakes.http import FakeServer, Reply, Request

pytestmark = pytest.mark.django_db
KEY = "test-key-of-the-model"


class Model:
    """Answers like an OpenAI-compatible server; keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.reply: Reply | None = None
        self.says = "The disk of the shop fills up. Delete old logs first."

    def __call__(self, request: Request) -> Reply:
        if request.method != "POST" or request.path != "/v1/chat/completions":
            return Reply(404, b"{}")
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return Reply(401, b'{"error": {"message": "bad key"}}')
        body = json.loads(request.body)
        if not body.get("model") or [one["role"] for one in body["messages"]] != ["system", "user"]:
            return Reply(400, b"{}")
        self.told.append(body)
        answer = {"choices": [{"index": 0, "message": {"role": "assistant", "content": self.says}}]}
        return self.reply or Reply(200, json.dumps(answer).encode())


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Model, str]]:
    model = Model()
    with FakeServer(model) as server:
        policy = Policy(allow_http=True, allow_loopback=True, loopback_ports=frozenset({server.port}))
        monkeypatch.setattr("channels.egress.client.current_policy", lambda: policy)
        yield model, f"{server.url}/v1"


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.route(scene.channel())
    scene.flush()
    summary = "The disk of 10.0.0.7 is full, mail jane@example.org"
    scene.run(alert("DiskFull", service="shop", user="bob", annotations={"summary": summary}))
    return scene


def switch_on(scene: Scene, url: str, **fields: Any) -> None:
    with scene.context():
        LanguageModel.objects.create(url=url, model="small", api_key=KEY, seconds=2, **{"is_active": True} | fields)


def comments(scene: Scene) -> list[str]:
    with scene.context():
        return [event.data["text"] for event in TimelineEvent.objects.filter(kind="comment")]


def test_the_answer_becomes_a_comment(scene: Scene, model: tuple[Model, str]) -> None:
    fake, url = model
    switch_on(scene, url)
    assert ask(scene.principal, scene.group().pk) == fake.says
    assert comments(scene) == [f"Assistant (small): {fake.says}"]
    assert fake.told[0]["model"] == "small"


def test_it_is_told_nothing_personal(scene: Scene, model: tuple[Model, str]) -> None:
    fake, url = model
    switch_on(scene, url)
    ask(scene.principal, scene.group().pk)
    told = json.dumps(fake.told)
    for secret in ("bob", "jane", "10.0.0.7", KEY):
        assert secret not in told
    facts = json.loads(fake.told[0]["messages"][1]["content"])
    assert facts["alerts"][0]["labels"]["service"] == "shop"
    assert facts["alerts"][0]["annotations"]["summary"] == "The disk of [IP] is full, mail [e-mail]"


def test_off_and_not_there_nobody_is_asked(scene: Scene, model: tuple[Model, str]) -> None:
    fake, url = model
    with pytest.raises(NoAnswer, match="off"):
        ask(scene.principal, scene.group().pk)
    switch_on(scene, url, is_active=False)
    with pytest.raises(NoAnswer, match="off"):
        ask(scene.principal, scene.group().pk)
    assert fake.told == []


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(500, b"{}"), "500"),
        (Reply(200, b"<html>"), "form"),
        (Reply(200, b'{"choices": []}'), "nothing to say"),
        (Reply(200, b'{"choices": [{"message": {"content": "  "}}]}'), "nothing to say"),
        (Reply(200, b"{}", drop=True), "."),
        (Reply(200, b"{}", hang=5.0), "."),
    ],
)
def test_a_model_that_fails_is_told_in_words_and_changes_nothing(
    scene: Scene, model: tuple[Model, str], reply: Reply, words: str
) -> None:
    fake, url = model
    fake.reply = reply
    switch_on(scene, url)
    with pytest.raises(NoAnswer, match=words):
        ask(scene.principal, scene.group().pk)
    assert comments(scene) == []


def test_an_address_inside_is_not_reached(scene: Scene, model: tuple[Model, str]) -> None:
    switch_on(scene, "http://169.254.169.254/v1")
    with pytest.raises(NoAnswer):
        ask(scene.principal, scene.group().pk)
