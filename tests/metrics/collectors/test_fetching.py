"""The way out to sources: only to checked addresses, with bounds on time, size and connections."""

import asyncio
import gzip
import threading
import time
from collections.abc import Callable

import pytest

from channels.egress.policy import Policy
from metrics.collectors.errors import CollectError, Trouble
from metrics.collectors.fetching import MAX_AT_A_HOST, MAX_PAGE, Fetcher, Page, check_status
from tests.fakes.http import FakeServer, Reply, Request

LOCAL = Policy(allow_http=True, allow_loopback=True)
OUTSIDE = Policy(allow_http=True)
INWARD = [
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://127.1/",
    "http://10.0.0.1/metrics",
    "http://192.168.1.1/",
    "http://[::1]/",
    "http://[fd00::1]/",
    "http://localhost/metrics",
    "http://user@10.0.0.1/",
    "http://example.com@169.254.169.254/",
    "http://example.com\\@169.254.169.254/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "http://example.com:22/",
]


def fetch(url: str, policy: Policy = LOCAL, resolver: Callable[[str, int], list[str]] | None = None) -> Page:
    async def run() -> Page:
        fetcher = Fetcher(policy, **({"resolver": resolver} if resolver else {}))
        try:
            return await fetcher.fetch(url)
        finally:
            await fetcher.close()

    return asyncio.run(run())


@pytest.mark.parametrize("url", INWARD)
def test_an_address_that_leads_inward_is_refused_in_every_spelling(url: str) -> None:
    with pytest.raises(CollectError) as caught:
        fetch(url, OUTSIDE)
    assert caught.value.trouble is Trouble.BLOCKED


@pytest.mark.parametrize("answer", ["169.254.169.254", "10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "fe80::1"])
def test_a_name_that_leads_inward_is_refused(answer: str) -> None:
    with pytest.raises(CollectError) as caught:
        fetch("http://metrics.example.com/", OUTSIDE, lambda host, port: ["93.184.216.34", answer])
    assert caught.value.trouble is Trouble.BLOCKED


def test_a_name_is_asked_once_so_a_second_answer_cannot_lead_elsewhere() -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    seen: list[str] = []

    def application(request: Request) -> Reply:
        seen.append(request.headers["host"])
        return Reply(body=b"ok")

    async def run(port: int) -> list[Page]:
        fetcher = Fetcher(LOCAL, resolver=lambda host, port: next(answers))
        try:
            # `localhost` names alone may mean this machine.
            return [await fetcher.fetch(f"http://rebind.localhost:{port}/") for _ in range(3)]
        finally:
            await fetcher.close()

    with FakeServer(application) as server:
        pages = asyncio.run(run(server.port))
        assert [page.body for page in pages] == [b"ok"] * 3
        assert seen == [f"rebind.localhost:{server.port}"] * 3


def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def application(request: Request) -> Reply:
        asked.append(request.path)
        return Reply(302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})

    with FakeServer(application) as server, pytest.raises(CollectError) as caught:
        check_status(fetch(server.url))
    assert caught.value.trouble is Trouble.REFUSED
    assert "redirect" in caught.value.detail
    assert asked == ["/"]


def test_an_answer_that_is_too_large_is_refused() -> None:
    body = b"x" * (MAX_PAGE + 1)
    with FakeServer(lambda request: Reply(body=body)) as server, pytest.raises(CollectError) as caught:
        fetch(server.url)
    assert caught.value.trouble is Trouble.TOO_LARGE


def test_an_answer_that_unpacks_too_large_is_refused() -> None:
    bomb = gzip.compress(b"\0" * (MAX_PAGE * 4))
    reply = Reply(body=bomb, headers={"Content-Encoding": "gzip"})
    with FakeServer(lambda request: reply) as server, pytest.raises(CollectError) as caught:
        fetch(server.url)
    assert caught.value.trouble is Trouble.TOO_LARGE


def test_a_compressed_answer_is_unpacked() -> None:
    reply = Reply(body=gzip.compress(b"up 1\n"), headers={"Content-Encoding": "gzip"})
    with FakeServer(lambda request: reply) as server:
        assert fetch(server.url).body == b"up 1\n"


@pytest.mark.parametrize(
    ("status", "trouble"),
    [(401, Trouble.AUTH), (404, Trouble.REFUSED), (429, Trouble.BUSY), (500, Trouble.SERVER), (503, Trouble.BUSY)],
)
def test_what_is_no_success_is_told_in_words(status: int, trouble: Trouble) -> None:
    reply = Reply(status, headers={"Retry-After": "120"})
    with FakeServer(lambda request: reply) as server, pytest.raises(CollectError) as caught:
        check_status(fetch(server.url))
    assert caught.value.trouble is trouble
    assert str(status) in caught.value.detail
    assert caught.value.retry_after == (0.0 if status == 401 else 120.0)


def test_nobody_there_is_told_without_saying_what_is_there() -> None:
    with FakeServer(lambda request: Reply(drop=True)) as server, pytest.raises(CollectError) as caught:
        fetch(server.url)
    assert (caught.value.trouble, caught.value.detail) == (Trouble.NETWORK, "The connection failed.")


def test_a_drip_ends_at_the_time_limit() -> None:
    async def run(url: str) -> None:
        fetcher = Fetcher(LOCAL)
        try:
            async with asyncio.timeout(0.5):
                await fetcher.fetch(url)
        finally:
            await fetcher.close()

    started = time.monotonic()
    with FakeServer(lambda request: Reply(body=b"x" * 1000, drip=0.05)) as server, pytest.raises(TimeoutError):
        asyncio.run(run(server.url))
    assert time.monotonic() - started < 20


def test_one_host_is_not_asked_more_at_once_than_the_cap() -> None:
    running, most, lock, is_full = 0, 0, threading.Lock(), threading.Event()

    def application(request: Request) -> Reply:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running >= MAX_AT_A_HOST:
                is_full.set()
        # The first ones stay until there are as many as there may be.
        is_full.wait(30)
        with lock:
            running -= 1
        return Reply(body=b"1")

    async def run(url: str) -> None:
        fetcher = Fetcher(LOCAL)
        try:
            await asyncio.gather(*(fetcher.fetch(f"{url}/{number}") for number in range(20)))
        finally:
            await fetcher.close()

    with FakeServer(application) as server:
        asyncio.run(run(server.url))
    assert most == MAX_AT_A_HOST


def test_headers_that_frame_the_request_are_refused() -> None:
    async def run(url: str) -> None:
        fetcher = Fetcher(LOCAL)
        try:
            await fetcher.fetch(url, headers={"Host": "169.254.169.254"})
        finally:
            await fetcher.close()

    with FakeServer(lambda request: Reply()) as server, pytest.raises(CollectError) as caught:
        asyncio.run(run(server.url))
    assert caught.value.trouble is Trouble.BLOCKED
