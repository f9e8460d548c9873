"""What leaves goes only where it may, and what comes back is bounded."""

import gzip
import socket
import time
import tracemalloc
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from channels.egress import Blocked, EgressError, check_url, request, resolve_checked
from channels.egress.addresses import is_own, is_public
from channels.egress.policy import Policy, current_policy
from channels.errors import ErrorReason
from tests.fakes.http import FakeServer, Reply, Request
from tests.fakes.tls import self_signed

STRICT = Policy()
OPEN_HTTP = Policy(allow_http=True)
DEVELOPMENT = Policy(allow_http=True, allow_loopback=True)

INWARD = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0x7f.0.0.1", "0177.0.0.1", "017700000001",
    "127.0.0.1.", "127.255.255.254", "0.0.0.0", "0", "0.1.2.3", "10.0.0.1", "10.1", "100.64.0.1", "169.254.169.254",
    "169.254.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "168.63.129.16", "172.16.0.1", "172.31.255.255",
    "192.0.0.8", "192.0.0.192", "192.168.1.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "ｌｏｃａｌｈｏｓｔ", "localhost", "LOCALHOST", "localhost.",
    "a.localhost", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]",
    "[fe80::1]", "[fe80::1%25eth0]", "[fe80::1%eth0]", "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]",
    "[2001:db8::1]", "[100::1]", "[2a00:1450::5efe:10.0.0.1]", "[5f00::1]", "[::ffff:169.254.169.254]",
]  # fmt: skip
CONFUSING = [
    "https://user@example.com/", "https://user:word@example.com/", "https://@example.com/", "https:///etc/passwd",
    "https://example.com\\@127.0.0.1/", "https://127.0.0.1\\.example.com/", "https://example.com#@127.0.0.1/..\\",
    "https://exam ple.com/", "https://example.com\t/", "https://example.com/\r\nHost: evil", "https://exam%70le.com/",
    "file:///etc/passwd", "gopher://example.com/", "ftp://example.com/", "//example.com/", "example.com", "", "https://",
    "https://[::1", "https://::1/", "https://example.com:0/", "https://example.com:99999/", "https://example.com:٤٤٣/",
    "javascript:alert(1)", "https://" + "a" * 3000 + ".com/", "https://" + "a" * 64 + ".com/", "http:example.com",
]  # fmt: skip


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("host", INWARD)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_an_inward_address_passes_the_form(host: str, scheme: str) -> None:
    with pytest.raises(Blocked) as caught:
        check_url(f"{scheme}://{host}/", OPEN_HTTP)
    assert caught.value.permanent
    assert caught.value.reason is ErrorReason.BLOCKED


@pytest.mark.parametrize("url", CONFUSING)
def test_a_url_that_two_readers_could_take_apart_is_refused(url: str) -> None:
    with pytest.raises(Blocked):
        check_url(url, DEVELOPMENT if "127.0.0.1" not in url else OPEN_HTTP)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://example.com/hook?a=1", "example.com", 443),
        ("HTTPS://Example.COM.:8443/", "example.com", 8443),
        ("https://bücher.example/", "xn--bcher-kva.example", 443),
        ("https://8.8.8.8/", "8.8.8.8", 443),
        ("https://[2a00:1450:4001::200e]/", "2a00:1450:4001::200e", 443),
        ("https://[::ffff:8.8.8.8]/", "::ffff:808:808", 443),
        ("https://[64:ff9b::8.8.8.8]/", "64:ff9b::808:808", 443),
    ],
)
def test_an_outward_address_passes_in_one_plain_spelling(url: str, host: str, port: int) -> None:
    target = check_url(url, STRICT)
    assert ip_address(target.host) == ip_address(host) if ":" in host else target.host == host
    assert target.port == port


def test_http_and_odd_ports_need_a_setting() -> None:
    for url in ("http://example.com/", "https://example.com:22/", "https://example.com:6379/"):
        with pytest.raises(Blocked):
            check_url(url, STRICT)
    assert check_url("https://example.com:9443/", Policy(extra_ports=frozenset({9443}))).port == 9443


@pytest.mark.parametrize("answer", [host.strip("[]") for host in INWARD if _is_address(host.strip("[]"))])
def test_no_name_that_answers_inward_is_connected_to(answer: str) -> None:
    with pytest.raises(Blocked):
        resolve_checked("hook.example.com", 443, scheme="https", policy=STRICT, resolver=lambda *_: [answer])


def test_one_bad_answer_among_good_ones_blocks_all() -> None:
    with pytest.raises(Blocked):
        resolve_checked(
            "x.example.com", 443, scheme="https", policy=STRICT, resolver=lambda *_: ["8.8.8.8", "10.0.0.1"]
        )


def test_a_rebinding_name_is_asked_once_and_the_checked_address_is_called() -> None:
    asked: list[str] = []

    def rebind(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.9.9.9"]

    with FakeServer(lambda request: Reply(200, request.headers["host"].encode())) as server:
        url = f"http://rebind.example.com:{server.port}/"
        policy = Policy(allow_http=True, allow_loopback=True, extra_ports=frozenset({server.port}))
        answer = request("GET", url, policy=policy, resolver=rebind)
    assert asked == ["rebind.example.com"]
    assert answer.body == f"rebind.example.com:{server.port}".encode()


def test_a_name_that_turns_to_loopback_is_blocked_before_a_byte_leaves() -> None:
    calls: list[Request] = []
    with FakeServer(lambda request: calls.append(request) or Reply()) as server:
        policy = Policy(allow_http=True, extra_ports=frozenset({server.port}))
        with pytest.raises(Blocked) as caught:
            request("GET", f"http://evil.example.com:{server.port}/", policy=policy, resolver=lambda *_: ["127.0.0.1"])
    assert calls == []
    assert not caught.value.ambiguous


def test_loopback_can_be_kept_to_the_ports_of_the_inbox() -> None:
    policy = Policy(allow_http=True, allow_loopback=True, loopback_ports=frozenset({8025}))
    assert check_url("http://127.0.0.1:8025/", policy).port == 8025
    for url in ("http://127.0.0.1:5432/", "http://[::1]:6379/", "http://localhost:80/"):
        with pytest.raises(Blocked):
            check_url(url, policy)


def test_settings_forbid_by_default(settings: object) -> None:
    for name in ("EGRESS_ALLOW_HTTP", "EGRESS_ALLOW_LOOPBACK"):
        if hasattr(settings, name):
            delattr(settings, name)
    assert current_policy() == Policy()


def test_an_operators_own_network_is_denied() -> None:
    policy = Policy(denied=(ip_network("93.184.0.0/16"),))
    with pytest.raises(Blocked):
        check_url("https://93.184.216.34/", policy)


def test_an_address_of_this_machine_is_known() -> None:
    assert is_own(ip_address("127.0.0.1"))
    assert not is_own(ip_address("8.8.8.8"))
    assert is_public(ip_address("8.8.8.8"))


def test_redirects_are_not_followed() -> None:
    calls: list[str] = []

    def redirect(received: Request) -> Reply:
        calls.append(received.path)
        return Reply(302, headers={"Location": "http://169.254.169.254/latest"})

    with FakeServer(redirect) as server:
        assert request("POST", server.url + "/a", policy=DEVELOPMENT).status == 302
    assert calls == ["/a"]


@pytest.mark.parametrize(
    "pack", [lambda data: (data, {}), lambda data: (gzip.compress(data), {"Content-Encoding": "gzip"})]
)
def test_an_answer_is_cut_at_64_kb_after_unpacking(pack: Callable[[bytes], tuple[bytes, dict[str, str]]]) -> None:
    body, headers = pack(b"x" * 20_000_000 if pack(b"")[1] else b"x" * 200_000)
    with FakeServer(lambda _: Reply(200, body, headers)) as server:
        tracemalloc.start()
        answer = request("GET", server.url, policy=DEVELOPMENT)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2_000_000
    assert len(answer.body) == 65_536
    assert answer.truncated


def test_a_drip_of_bytes_cannot_outlast_the_time_limit() -> None:
    with FakeServer(lambda _: Reply(200, b"x" * 100, drip=0.1)) as server:
        started = time.monotonic()
        with pytest.raises(EgressError) as caught:
            request("POST", server.url, policy=DEVELOPMENT, timeout=0.5)
    assert time.monotonic() - started < 6, "the drip lasts ten seconds"
    assert caught.value.reason is ErrorReason.TIMEOUT
    assert caught.value.ambiguous


def test_a_slow_resolver_cannot_outlast_the_time_limit() -> None:
    with pytest.raises(EgressError) as caught:
        request("GET", "https://slow.example.com/", timeout=0.2, resolver=lambda *_: time.sleep(1) or [])
    assert caught.value.reason is ErrorReason.TIMEOUT
    assert not caught.value.ambiguous


def test_a_refused_connection_is_surely_unsent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(EgressError) as caught:
            request("POST", f"http://127.0.0.1:{taken.getsockname()[1]}/", policy=DEVELOPMENT)
    assert caught.value.reason is ErrorReason.NETWORK
    assert not caught.value.ambiguous


def test_a_dropped_connection_may_have_been_sent() -> None:
    with FakeServer(lambda _: Reply(drop=True)) as server, pytest.raises(EgressError) as caught:
        request("POST", server.url, body=b"x", policy=DEVELOPMENT)
    assert caught.value.ambiguous


def test_the_error_text_is_the_same_for_whatever_stands_inside() -> None:
    def text(address: str) -> str:
        with pytest.raises(Blocked) as caught:
            request("GET", "https://x.example.com/", policy=STRICT, resolver=lambda *_: [address])
        return str(caught.value)

    assert len({text(address) for address in ("10.0.0.1", "169.254.169.254", "127.0.0.1", "::1")}) == 1


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with FakeServer(lambda _: Reply(204)) as server:
        assert request("GET", server.url, policy=DEVELOPMENT).status == 204


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Cookie", "X-A\r\nX-B"])
def test_headers_that_decide_where_a_request_goes_cannot_be_set(name: str) -> None:
    with pytest.raises((Blocked, EgressError)):
        request("GET", "https://example.com/", headers={name: "x"}, policy=STRICT, resolver=lambda *_: ["10.0.0.1"])


def test_tls_uses_the_name_and_refuses_a_certificate_nobody_vouches_for(tmp_path: Path) -> None:
    seen: list[str | None] = []
    with FakeServer(lambda _: Reply()) as server:
        context, _certificate = self_signed(tmp_path, "hook.example.com")
        context.sni_callback = lambda _socket, name, _context: seen.append(name)
        server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
        policy = Policy(allow_loopback=True, extra_ports=frozenset({server.port}))
        with pytest.raises(EgressError) as caught:
            request("GET", f"https://hook.example.com:{server.port}/", policy=policy, resolver=lambda *_: ["127.0.0.1"])
    assert seen == ["hook.example.com"]
    assert caught.value.permanent
    assert not caught.value.ambiguous
