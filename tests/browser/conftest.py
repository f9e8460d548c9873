"""A real browser on a real server: the admin over HTTP with rows that are committed."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, sync_playwright

from tenants.models import Tenant, User
from tests.factories import PASSWORD, make_member, make_tenant

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Close the connections of the request's own thread, in that thread, once it is answered."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what matters is asserted."""


@pytest.fixture(autouse=True)
def _orm_beside_playwright(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow the ORM in this thread, in which playwright keeps an event loop."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def browser(committed_db: None, _orm_beside_playwright: None) -> Iterator[Browser]:
    """Start Debian's chromium; its absence is a fault of the machine, not a reason to skip.

    One for each test: while playwright runs, its event loop would stand in the way of every other test.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("No Chromium on this machine. Install it (apt-get install chromium), then run again.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()
        # Beside an event loop Django keeps connections of their own, which nobody else would find to close.
        connections.close_all()


@pytest.fixture
def address(committed_db: None) -> Iterator[str]:
    """Serve the whole site from a thread; return where."""
    from django.core.wsgi import get_wsgi_application

    server = make_server("127.0.0.1", 0, get_wsgi_application(), _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def tenant(committed_db: None) -> Tenant:
    return make_tenant("streaming")


@pytest.fixture
def owner(tenant: Tenant) -> User:
    return make_member(tenant, "owner", "olga")


@pytest.fixture
def page(address: str, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open an empty tab; faults of scripts fail the test, a failed test leaves a picture."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.set_default_timeout(15_000)
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    yield tab
    if os.environ.get("BROWSER_PICTURES"):
        tab.screenshot(path=f"{os.environ['BROWSER_PICTURES']}/{request.node.name}.png", full_page=True)
    context.close()
    assert not faults, faults


SignIn = Callable[[str], None]


@pytest.fixture
def sign_in(page: Page) -> SignIn:
    """Return a way to sign somebody in by the form."""

    def act(username: str) -> None:
        page.goto("/admin/")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.click("#login-form button[type=submit]")
        page.wait_for_url("**/admin/")

    return act
