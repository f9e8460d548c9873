"""Apprise, sent over real sockets to a server of our own; addresses that must not be used."""

import json
from collections.abc import Iterator
from typing import Any

import apprise
import pytest
from pytest_django.fixtures import Settings

from channels import registry
from channels.adapters.apprise_client import body_for, classify, open_service, shape_for, tame
from channels.adapters.apprise_urls import HOSTED, OWN_SERVERS
from channels.adapters.base import Receipt
from channels.errors import ChannelError, ErrorReason, InvalidSettings
from channels.templating.samples import worst_messages
from tests.channels.sending import DELIVERY_ID, changed
from tests.channels.sending import send as send_by
from tests.fakes.http import FakeServer, Reply, Request

ADAPTER = registry.adapter("apprise")
DISCORD = "discord://123456789012345678/" + "a" * 68
TELEGRAM = "tgram://123456789:" + "A" * 35 + "/12345"


class Service:
    """A server that somebody runs."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.reply = Reply(200, b"{}")
        self.host = ""

    def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.reply


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    settings.EGRESS_ALLOW_HTTP = settings.EGRESS_ALLOW_LOOPBACK = settings.APPRISE_OWN_SERVERS = True
    fake = Service()
    with FakeServer(fake) as server:
        fake.host = server.url.removeprefix("http://")
        yield fake


def send(*urls: str, **kwargs: Any) -> Receipt:
    return send_by("apprise", {"names": [f"n{number}" for number in range(len(urls))]}, {"urls": list(urls)}, **kwargs)


def fail(*urls: str) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        send(*urls)
    return caught.value


def test_a_service_is_told_in_the_form_it_takes(service: Service) -> None:
    receipt = send(f"json://{service.host}/hook?:team=ops")
    body = json.loads(service.requests[0].body)
    assert receipt == Receipt(provider_id=DELIVERY_ID, detail={"service": "JSON", "format": "html"})
    assert body["title"].startswith("FIRING (critical): Disk almost full on db-primary-1")
    assert "<b>db-primary-1</b>" in body["message"]
    assert body["type"] == "failure"
    assert body["team"] == "ops"
    send(f"gotify://{service.host}/{'t' * 15}")
    plain = json.loads(service.requests[1].body)
    assert "db-primary-1: /var/lib/pg on db-primary-1 is 96 % full" in plain["message"]
    assert "<b>" not in plain["message"]


def test_each_name_has_its_address(service: Service) -> None:
    raw = {"names": ["ops", "managers"]}
    urls = [f"json://{service.host}/ops", f"json://{service.host}/managers"]
    assert ADAPTER.recipients(ADAPTER.settings_from(raw)) == ["ops", "managers"]
    send_by("apprise", raw, {"urls": urls})
    assert [request.path for request in service.requests] == ["/ops"]
    with pytest.raises(ChannelError, match="as many names as addresses"):
        send_by("apprise", raw, {"urls": urls[:1]})


@pytest.mark.parametrize(
    ("status", "tone"), [("resolved", "success"), ("firing", "failure"), ("acknowledged", "failure")]
)
def test_the_tone_follows_the_state(service: Service, status: str, tone: str) -> None:
    send(f"json://{service.host}/", message=changed(status=status))
    assert json.loads(service.requests[0].body)["type"] == tone


@pytest.mark.parametrize("number", range(4))
def test_the_worst_messages_go_out(service: Service, number: int) -> None:
    send(f"json://{service.host}/", message=worst_messages()[number])
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("reply", "reason", "permanent", "ambiguous"),
    [
        (Reply(404), ErrorReason.CLIENT_ERROR, True, False),
        (Reply(401), ErrorReason.AUTH, True, False),
        (Reply(429), ErrorReason.RATE_LIMITED, False, False),
        (Reply(500), ErrorReason.SERVER_ERROR, False, True),
        (Reply(302, b"", {"Location": "http://127.0.0.1:1/"}), ErrorReason.CLIENT_ERROR, True, False),
        (Reply(drop=True), ErrorReason.NETWORK, False, True),
    ],
)
def test_what_a_service_answers(
    service: Service, reply: Reply, reason: ErrorReason, permanent: bool, ambiguous: bool
) -> None:
    service.reply = reply
    error = fail(f"json://{service.host}/secret-token")
    assert (error.reason, error.permanent, error.ambiguous) == (reason, permanent, ambiguous)
    assert len(service.requests) == 1
    assert "secret-token" not in str(error)


def test_a_refused_connection_is_surely_unsent(service: Service) -> None:
    error = fail("json://127.0.0.1:9/")
    assert (error.reason, error.permanent, error.ambiguous) == (ErrorReason.NETWORK, False, False)
    assert classify(["Read timed out."]).ambiguous


@pytest.mark.parametrize(
    "url",
    [
        "json://169.254.169.254/latest",
        "json://localhost/",
        "json://10.0.0.1/",
        "jsons://[::1]/",
        "gotify://127.0.0.1/token",
        "json://127.1/",
        "json://2130706433/",
    ],
)
def test_an_inward_host_is_blocked(settings: Settings, url: str) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = False
    settings.EGRESS_ALLOW_HTTP = settings.APPRISE_OWN_SERVERS = True
    assert fail(url).reason in {ErrorReason.BLOCKED, ErrorReason.CLIENT_ERROR}
    assert fail(url).permanent


def test_a_name_that_points_inward_is_blocked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.APPRISE_OWN_SERVERS = True
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_kwargs: [(2, 1, 6, "", ("10.1.2.3", 443))])
    assert fail("jsons://hooks.example.com/").reason is ErrorReason.BLOCKED


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "syslog://",
        "dbus://",
        "mailto://a:b@example.com",
        "irc://irc.example.com/x",
        "discord",
        "",
        DISCORD + "?template=/etc/passwd",
        DISCORD + "?attach=http://169.254.169.254/",
        "jsons://example.com/?verify=no",
        "jsons://example.com/?rto=9999",
        "jsons://example.com/?redirect=yes",
        "discord://" + "a" * 3000,
        "discord://a/\nb",
    ],
)
def test_an_address_that_could_do_harm_is_refused_unquoted(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        ADAPTER.credentials_from({"urls": [url]})
    assert list(caught.value.errors) == ["urls"]
    assert "passwd" not in str(caught.value)


def test_own_servers_need_the_operators_word(settings: Settings) -> None:
    settings.APPRISE_OWN_SERVERS = False
    with pytest.raises(InvalidSettings, match="operator"):
        ADAPTER.credentials_from({"urls": ["jsons://example.com/"]})
    assert ADAPTER.credentials_from({"urls": [DISCORD]})


def test_a_service_is_opened_strictly() -> None:
    opened = open_service(DISCORD)
    assert opened.redirects is False
    assert opened.verify_certificate is True
    assert opened.request_timeout == (4.0, 8.0)
    assert "a" * 20 not in repr(ADAPTER.credentials_from({"urls": [DISCORD]}))


def test_the_list_of_services_names_what_apprise_has() -> None:
    known = {
        scheme
        for one in apprise.Apprise().details()["schemas"]
        for scheme in [*(one["protocols"] or []), *(one["secure_protocols"] or [])]
    }
    assert known >= OWN_SERVERS
    assert known >= HOSTED
    assert not HOSTED & OWN_SERVERS


def test_hosted_services_leave_the_host_to_apprise() -> None:
    for one in apprise.Apprise().details()["schemas"]:
        schemes = {*(one["protocols"] or []), *(one["secure_protocols"] or [])}
        if schemes & HOSTED:
            templates = [str(template) for template in one["details"]["templates"]]
            assert not any("{host}" in template for template in templates), schemes


def test_the_form_is_the_richest() -> None:
    both = (apprise.NotifyFormat.TEXT, apprise.NotifyFormat.MARKDOWN)
    assert shape_for(both) == "markdown"
    assert shape_for(apprise.NotifyFormat.TEXT) == "text"
    assert shape_for((*both, apprise.NotifyFormat.HTML)) == "html"
    assert shape_for(open_service(DISCORD).notify_format) == "markdown"
    assert shape_for(open_service(TELEGRAM).notify_format) == "html"


def test_nothing_in_a_label_calls_people_or_marks_text() -> None:
    words = {"text": "@everyone <@123> *bold* [a](http://b)", "html": "x" * 5000}
    shown = body_for("markdown", words, 2000)
    assert "@everyone" not in shown
    assert "<@" not in shown
    assert "\\*bold\\* \\[a\\]" in shown
    assert body_for("html", words, 2000) == tame(words["text"])
    assert len(body_for("text", {"text": "y" * 9000}, 2000)) <= 2000
