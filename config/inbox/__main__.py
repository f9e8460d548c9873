"""Run the inbox: `python -m config.inbox` with INBOX_PORT and INBOX_SMTP_PORT."""

from __future__ import annotations

import os
import signal
import sys
import threading

from config.inbox.doors import Doors
from config.inbox.store import Inbox
from tests.fakes.http import FakeServer
from tests.fakes.smtp import FakeSMTP


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    inbox = Inbox()
    port = _port("INBOX_PORT", 8025)
    secrets = os.environ.get("INBOX_WEBHOOK_SECRETS", "").split()
    doors = Doors(inbox, secrets=secrets, own_url=f"http://127.0.0.1:{port}")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        web = FakeServer(doors, port=port)
        smtp = FakeSMTP(port=_port("INBOX_SMTP_PORT", 1025), on_mail=inbox.add_mail)
        with web, smtp:
            sys.stdout.write(f"inbox ready url={web.url}/ smtp=127.0.0.1:{smtp.port}\n")
            sys.stdout.flush()
            stopped.wait()
    except OSError as error:
        sys.stderr.write(f"The inbox cannot listen: {error.strerror}.\n")
        return 1
    return 0


def _port(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


if __name__ == "__main__":
    raise SystemExit(main())
