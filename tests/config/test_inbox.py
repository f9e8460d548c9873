"""The development inbox shows what arrived, harmlessly."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from channels.slack.drawing import draw_mrkdwn
from config.inbox.doors import Doors
from config.inbox.page import draw_page
from config.inbox.store import MAX_KEPT, Inbox
from tests.fakes.http import Reply, Request
from tests.fakes.smtp import Mail
from tests.fakes.webhook import WebhookArrival

ROOT = Path(__file__).resolve().parents[2]


def get(doors: Doors, path: str, **query: str) -> Reply:
    return doors(Request("GET", path, query, {}, b""))


def mail(subject: str, html: str) -> Mail:
    head = f"Subject: {subject}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    return Mail("a@example.com", ["b@example.com"], (head + html).encode())


def test_the_page_carries_the_text_newest_first() -> None:
    inbox = Inbox()
    doors = Doors(inbox, secrets=[])
    inbox.add_mail(mail("First words", "<p>one</p>"))
    post = Request(
        "POST", "/slack/api/chat.postMessage", {}, {"authorization": "Bearer x"}, b"channel=%23ops&text=Second"
    )
    assert b'"ok": true' in doors(post).body
    page = get(doors, "/").body.decode()
    assert page.index("Second") < page.index("First words")
    assert '<link rel="icon" href="data:image/svg+xml,' in page
    assert "#ops" in page
    assert "First words" not in get(doors, "/", channel="slack").body.decode()


def test_nothing_that_arrived_can_run_in_the_page() -> None:
    inbox = Inbox()
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    inbox.add_mail(mail("x", evil))
    inbox.add_webhook(WebhookArrival(Request("POST", "/hooks/<b>", {}, {}, evil.encode()), "missing"))
    doors = Doors(inbox, secrets=[])
    page = get(doors, "/")
    assert b"<script>alert" not in page.body
    assert b"<img" not in page.body
    assert b'sandbox="allow-same-origin"' in page.body
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    # Charts come from the service itself; nothing is fetched from elsewhere.
    assert "img-src data: http://127.0.0.1:*;" in page.headers["Content-Security-Policy"]


def test_memory_is_bounded() -> None:
    inbox = Inbox()
    for number in range(MAX_KEPT + 50):
        inbox.add_mail(mail(f"n{number}", "x"))
    assert len(inbox.newest_first()) == MAX_KEPT
    assert inbox.newest_first()[0].title == f"n{MAX_KEPT + 49}"
    assert inbox.total == MAX_KEPT + 50


def test_slack_text_is_drawn_as_slack_does() -> None:
    drawn = draw_mrkdwn("*b* my_pod_name &lt;!here&gt; <https://e.com/?a=1&amp;b=2|see> <!channel>\nnext")
    assert drawn == (
        "<b>b</b> my_pod_name &lt;!here&gt; "
        '<a href="https://e.com/?a=1&amp;b=2" rel="noreferrer">see</a> '
        '<mark class="ping">!channel</mark><br>next'
    )


def test_an_empty_page_says_what_to_do() -> None:
    assert "Nothing has arrived yet" in draw_page([], channel="", total=0)


def test_unknown_doors_are_closed() -> None:
    doors = Doors(Inbox(), secrets=[])
    assert get(doors, "/etc/passwd").status == 404
    assert doors(Request("PUT", "/", {}, {}, b"")).status == 405
    assert get(doors, "/healthz").body == b"ok"
    assert get(doors, "/messages.json").body == b"[]"


@pytest.mark.processes
def test_it_runs_as_a_process_and_ends_on_sigterm() -> None:
    environment = {**os.environ, "INBOX_PORT": "0", "INBOX_SMTP_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "config.inbox"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split("url=")[1].split()[0]
        assert urllib.request.urlopen(url + "healthz", timeout=5).read() == b"ok"
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0
