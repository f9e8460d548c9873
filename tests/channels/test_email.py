"""E-mail through a real SMTP conversation."""

import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from channels import registry
from channels.adapters import smtp
from channels.adapters.smtp import Conversation
from channels.egress import Checked
from channels.errors import ChannelError, ErrorReason, InvalidSettings
from channels.templating.samples import NASTY, worst_messages
from tests.channels.sending import DELIVERY_ID, changed, send
from tests.fakes.smtp import DROP, FakeSMTP
from tests.fakes.tls import self_signed

ADAPTER = registry.adapter("email")


@pytest.fixture(autouse=True)
def loopback(settings: Settings) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


def settings_of(server: FakeSMTP, **changes: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "to": ["oncall@example.com"],
        "from_address": "alerts@example.com",
        "from_name": "Alerts",
    } | changes


def fail(server: FakeSMTP, **changes: Any) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        send("email", settings_of(server, **changes), {})
    return caught.value


def test_a_mail_arrives_with_both_parts_and_a_steady_message_id() -> None:
    with FakeSMTP() as server:
        receipt = send("email", settings_of(server), {})
    (mail,) = server.arrived
    assert mail.recipients == ["oncall@example.com"]
    assert mail.sender == "alerts@example.com"
    assert mail.message["Message-ID"] == receipt.provider_id == f"<{DELIVERY_ID}@example.com>"
    assert mail.message["Subject"] == "[FIRING critical] Disk almost full on db-primary-1 (5 alerts)"
    assert mail.message["From"] == '"Alerts" <alerts@example.com>' or "Alerts" in mail.message["From"]
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert "https://alerts.example.com/groups/0192c0de" in mail.body("plain")
    assert "<h1" in mail.body("html")


def test_what_goes_over_the_line_is_what_was_written_in_short_lines() -> None:
    html = "<p>É </p>" * 400 + "\n.\n=_boundary\n"
    with FakeSMTP() as server:
        send("email", settings_of(server), {}, sources={"html": html, "text": "x = 1"})
        send("email", settings_of(server), {}, sources={"html": "<p>b</p>"})
    first, second = server.arrived
    assert first.body("html").strip() == html.strip()
    assert first.body("plain").strip() == "x = 1"
    assert max(map(len, first.raw.splitlines())) <= 998
    assert first.message.defects == []
    assert first.message.get_boundary() != second.message.get_boundary()


def test_mails_of_one_group_make_a_thread() -> None:
    with FakeSMTP() as server:
        send("email", settings_of(server), {}, delivery_id="one")
        send("email", settings_of(server), {}, delivery_id="two", message=changed(status="resolved"))
    first, second = (mail.message for mail in server.arrived)
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert (first["Importance"], second["Importance"]) == ("high", None)


@pytest.mark.parametrize(
    "title",
    [
        "a\nb",
        "a\r\nBcc: evil@example.com",
        "a\r\n\r\n<html>",
        "\x00\x1b[31mred",
        "\u202egnp.exe",
        "\udce4\ud800",
        NASTY,
        "",
    ],
)
def test_a_title_with_anything_in_it_is_still_mailed(title: str) -> None:
    with FakeSMTP() as server:
        send("email", settings_of(server), {}, message=changed(title=title))
    (mail,) = server.arrived
    assert mail.recipients == ["oncall@example.com"]
    assert mail.message["Bcc"] is None
    assert not any(bad in str(mail.message["Subject"]) for bad in ("\n", "\r", "\x00", "\x1b", "\u202e"))


def test_a_subject_template_of_several_lines_makes_one() -> None:
    with FakeSMTP() as server:
        send("email", settings_of(server), {}, sources={"subject": "a\r\nBcc: evil@example.com\n{{ severity }}"})
    assert server.arrived[0].message["Subject"] == "a Bcc: evil@example.com critical"


def test_labels_cannot_bring_in_html() -> None:
    labels = {"alertname": "<script>alert(1)</script>", "b": '"onmouseover=x'}
    with FakeSMTP() as server:
        send("email", settings_of(server), {}, message=changed(title="<img src=x>", group_labels=labels))
    html = server.arrived[0].body("html")
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_the_worst_messages_go_out() -> None:
    with FakeSMTP() as server:
        for message in worst_messages():
            send("email", settings_of(server), {}, message=message)
    assert len(server.arrived) == 4
    assert not any("javascript:" in mail.body("html") for mail in server.arrived)


def test_lines_that_begin_with_a_dot_arrive_whole() -> None:
    with FakeSMTP() as server:
        send("email", settings_of(server), {}, sources={"text": "a\n.\n..b\nend", "html": "<p>x</p>"})
    assert server.arrived[0].body("plain").rstrip("\n") == "a\n.\n..b\nend"


@pytest.mark.parametrize(
    ("answer", "reason", "permanent"),
    [
        ("450 mailbox busy", ErrorReason.SERVER_ERROR, False),
        ("452 rate limit, slow down", ErrorReason.RATE_LIMITED, False),
        ("550 no such user", ErrorReason.INVALID_RECIPIENT, True),
        ("552 too big", ErrorReason.TOO_LARGE, True),
        ("571 go away", ErrorReason.CLIENT_ERROR, True),
    ],
)
def test_an_answer_to_the_recipient_means(answer: str, reason: ErrorReason, permanent: bool) -> None:
    with FakeSMTP() as server:
        server.rcpt_script.append(answer)
        error = fail(server)
    assert (error.reason, error.permanent, error.ambiguous) == (reason, permanent, False)
    assert error.status == int(answer[:3])


@pytest.mark.parametrize(("answer", "permanent"), [("451 try later", False), ("554 refused", True)])
def test_an_answer_to_the_data_is_certain(answer: str, permanent: bool) -> None:
    with FakeSMTP() as server:
        server.data_script.append(answer)
        error = fail(server)
    assert (error.permanent, error.ambiguous) == (permanent, False)
    assert not server.arrived


def test_a_line_cut_after_the_data_is_ambiguous_and_not_sent_twice() -> None:
    with FakeSMTP() as server:
        server.data_script.append(DROP)
        error = fail(server)
    assert (error.reason, error.ambiguous) == (ErrorReason.NETWORK, True)
    assert len(server.arrived) == 1


def test_nobody_there_is_surely_unsent() -> None:
    with FakeSMTP() as server:
        pass
    error = fail(server)
    assert (error.reason, error.ambiguous, error.permanent) == (ErrorReason.NETWORK, False, False)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_login_is_used_and_a_wrong_one_is_permanent() -> None:
    with FakeSMTP(login=("ann", "secret")) as server:
        send("email", settings_of(server), {"user": "ann", "password": "secret"})
        with pytest.raises(ChannelError) as caught:
            send("email", settings_of(server), {"user": "ann", "password": "wrong"})
    assert (caught.value.reason, caught.value.permanent) == (ErrorReason.AUTH, True)
    assert "wrong" not in str(caught.value)
    assert len(server.arrived) == 1


def test_starttls_that_is_not_offered_sends_nothing_in_clear() -> None:
    with FakeSMTP() as server:
        error = fail(server, security="starttls")
    assert error.permanent
    assert not server.arrived


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name be found on this machine."""
    monkeypatch.setattr("socket.getaddrinfo", lambda *given, **_: [(2, 1, 6, "", ("127.0.0.1", given[1]))])


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_is_spoken_under_the_name_of_the_server(
    security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = self_signed(tmp_path, "mail.example.com")
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(smtp, "_tls", lambda: trusting)
    with FakeSMTP(tls=context, implicit_tls=security == "tls") as server:
        send("email", settings_of(server, host="mail.example.com", security=security), {})
        with pytest.raises(ChannelError) as caught:
            send("email", settings_of(server, host="other.example.com", security=security), {})
    assert len(server.arrived) == 1
    assert (caught.value.reason, caught.value.permanent, caught.value.ambiguous) == (ErrorReason.NETWORK, True, False)


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_is_refused(security: str, tmp_path: Path) -> None:
    context, _certificate = self_signed(tmp_path, "mail.example.com")
    with FakeSMTP(tls=context, implicit_tls=security == "tls") as server:
        error = fail(server, host="mail.example.com", security=security)
    assert error.permanent
    assert not server.arrived


def test_a_tarpit_cannot_hold_us_beyond_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_drip, args=[listener], daemon=True).start()
        checked = Checked("127.0.0.1", listener.getsockname()[1], ("127.0.0.1",))
        conversation = Conversation(checked, security="none", timeout=0.6, local_name="example.com")
        started = time.monotonic()
        with pytest.raises(ChannelError) as caught:
            conversation.send("a@example.com", "b@example.com", b"x", login=None)
    assert time.monotonic() - started < 6, "the drip lasts ten seconds"
    assert not caught.value.ambiguous


def _drip(listener: socket.socket) -> None:
    connection, _address = listener.accept()
    with connection:
        for _ in range(100):
            try:
                connection.sendall(b"2")
            except OSError:
                return
            time.sleep(0.1)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.5", "localhost"])
def test_an_inward_mail_server_is_blocked(settings: Settings, host: str) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = False
    with FakeSMTP() as server:
        error = fail(server, host=host)
    assert (error.reason, error.permanent) == (ErrorReason.BLOCKED, True)
    assert not server.arrived


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": []}, "to"),
        ({"to": ["a@b.example,evil@x.example"]}, "to"),
        ({"to": ["grp: evil@x.example;"]}, "to"),
        ({"to": ["Ann <ann@example.com>"]}, "to"),
        ({"to": ["ann@example.com\nBcc: x@example.com"]}, "to"),
        ({"to": "ann@example.com"}, "to"),
        ({"from_address": "nobody"}, "from_address"),
        ({"host": "a b"}, "host"),
        ({"host": "0x7f.1"}, "host"),
        ({"port": 0}, "port"),
        ({"port": "x"}, "port"),
        ({"security": "ssl3"}, "security"),
        ({"password": "x"}, "password"),
    ],
)
def test_wrong_settings_name_the_field(changes: dict[str, Any], field: str) -> None:
    base = {"host": "mail.example.com", "to": ["a@example.com"], "from_address": "b@example.com"}
    with pytest.raises(InvalidSettings) as caught:
        ADAPTER.settings_from(base | changes)
    assert list(caught.value.errors) == [field]


def test_each_recipient_is_told_once() -> None:
    to = ["a@x.example", "b@x.example", "a@x.example"]
    given = {"host": "mail.example.com", "to": to, "from_address": "c@x.example"}
    assert ADAPTER.recipients(ADAPTER.settings_from(given)) == ["a@x.example", "b@x.example"]


def test_a_user_without_password_is_refused() -> None:
    with pytest.raises(InvalidSettings):
        ADAPTER.credentials_from({"user": "ann"})
