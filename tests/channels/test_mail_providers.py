"""Mail through providers' APIs: each gets what it asks for, and its refusals are understood."""

import json
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest

from channels import registry
from channels.errors import ChannelError, ErrorReason
from channels.mail import providers
from tests.channels.sending import changed, send
from tests.channels.test_attachments import WORK
from tests.fakes.http import FakeServer, Reply
from tests.fakes.mail_providers import KEY, FakeMailProviders

NAMES = sorted(providers.PROVIDERS)


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeMailProviders]:
    made = FakeMailProviders()
    with FakeServer(made) as server:
        settings.ANYMAIL = {f"{name.upper()}_API_URL": f"{server.url}/{name}/" for name in NAMES}
        yield made


def mail(provider: str, key: str = KEY, **fields: Any) -> Any:
    given = {"provider": provider, "to": ["oncall@example.com"], "from_address": "alerts@example.com"}
    return send("email", given, {"api_key": key}, message=changed(planned=[WORK], **fields))


def test_each_provider_of_the_settings_can_send() -> None:
    offered = get_type_hints(registry.adapter("email").Settings)["provider"]
    assert set(get_args(offered)) == {"smtp", *NAMES}


@pytest.mark.parametrize("provider", NAMES)
def test_a_provider_gets_the_whole_mail(fake: FakeMailProviders, provider: str) -> None:
    receipt = mail(provider)
    [sent] = fake.sent
    assert (sent.provider, receipt.detail["provider"]) == (provider, provider)
    assert receipt.detail["id"]
    assert (len(sent.to), "oncall@example.com" in sent.to[0], "alerts@example.com" in sent.sender) == (1, True, True)
    assert sent.subject.startswith("[FIRING critical] Disk almost full")
    assert "/var/lib/pg on db-primary-1 is 96 % full" in sent.text
    assert "<h1" in sent.html
    assert "maintenance.ics" in sent.files
    headers = {name.lower(): value for name, value in sent.headers.items()}
    assert headers["references"].startswith("<group.")
    assert headers["auto-submitted"] == "auto-generated"


@pytest.mark.parametrize("provider", NAMES)
def test_a_wrong_key_is_the_tenants_fault_and_stays_secret(fake: FakeMailProviders, provider: str) -> None:
    with pytest.raises(ChannelError) as caught:
        mail(provider, key="wrong-key")
    assert (caught.value.reason, caught.value.permanent) == (ErrorReason.AUTH, True)
    assert "wrong-key" not in caught.value.detail
    assert fake.sent == []


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize(
    ("reply", "reason", "permanent", "ambiguous"),
    [
        (Reply(429, b"{}", {"Retry-After": "7"}), ErrorReason.RATE_LIMITED, False, False),
        (Reply(503, b"busy"), ErrorReason.SERVER_ERROR, False, True),
        (Reply(drop=True), ErrorReason.NETWORK, False, True),
        (Reply(302, b"", {"Location": "http://127.0.0.1:9/"}), ErrorReason.CLIENT_ERROR, True, False),
    ],
)
def test_what_a_provider_answers_means(
    fake: FakeMailProviders, provider: str, reply: Reply, reason: ErrorReason, permanent: bool, ambiguous: bool
) -> None:
    fake.script.append(reply)
    with pytest.raises(ChannelError) as caught:
        mail(provider)
    error = caught.value
    if reply.status == 302:
        # However it is called, nothing goes where the redirect leads and nothing counts as sent.
        assert fake.sent == []
        return
    assert (error.reason, error.permanent, error.ambiguous) == (reason, permanent, ambiguous)


def test_an_address_that_the_provider_gave_up_is_dead(fake: FakeMailProviders) -> None:
    words = "Found inactive addresses: oncall@example.com. Inactive recipients are ones that have bounced."
    fake.script.append(Reply(422, json.dumps({"ErrorCode": 406, "Message": words}).encode()))
    with pytest.raises(ChannelError) as caught:
        mail("postmark")
    assert (caught.value.reason, caught.value.permanent) == (ErrorReason.INVALID_RECIPIENT, True)


def test_a_refusal_in_words_that_nobody_knows_is_no_success(fake: FakeMailProviders) -> None:
    fake.script.append(Reply(422, json.dumps({"ErrorCode": 406, "Message": "said in another way"}).encode()))
    with pytest.raises(ChannelError) as caught:
        mail("postmark")
    assert (caught.value.reason, caught.value.permanent) == (ErrorReason.CLIENT_ERROR, True)


@pytest.mark.parametrize("provider", ["mailgun", "sendgrid"])
def test_mail_of_europe_goes_to_the_servers_there(fake: FakeMailProviders, monkeypatch: Any, provider: str) -> None:
    asked: list[str] = []
    chosen = providers.PROVIDERS[provider]
    assert chosen.regions["eu"].startswith("https://api.eu.")
    with FakeServer(lambda request: asked.append(request.path) or Reply(500)) as europe:
        moved = chosen._replace(regions={"eu": f"{europe.url}/eu/"})
        monkeypatch.setitem(providers.PROVIDERS, provider, moved)
        given = {"provider": provider, "to": ["a@example.com"], "from_address": "b@example.com", "region": "eu"}
        with pytest.raises(ChannelError):
            send("email", given, {"api_key": KEY})
    assert [path.startswith("/eu/") for path in asked] == [True]
    assert fake.sent == []
