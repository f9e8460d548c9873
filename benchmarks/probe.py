"""Probes: single alerts whose way is timed from the POST to the message at a webhook receiver."""

import itertools
import json
import threading
import time
from collections import Counter

from benchmarks.generator import Connection
from tests.fakes.http import FakeServer, Reply, Request

EVERY = 0.1
PATIENCE = 10.0


class Prober:
    """Sends a probe every tenth of a second and receives the messages made of them."""

    def __init__(self, web_port: int, sink_port: int) -> None:
        self._address = ("127.0.0.1", web_port)
        self._sent: dict[str, float] = {}
        self._arrived: dict[str, float] = {}
        self._messages: Counter[str] = Counter()
        self.accepted = 0
        self._server = FakeServer(self._receive, port=sink_port)
        self._server.__enter__()
        self.sink_url = f"{self._server.url}/probe"

    def start(self, key: str, seconds: float) -> None:
        """Begin to send, for a time."""
        self._thread = threading.Thread(target=self._send, args=(key, seconds))
        self._thread.start()

    def join(self) -> None:
        """Wait until all are sent and have had time to arrive."""
        self._thread.join()
        deadline = time.monotonic() + PATIENCE
        while self.missing() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._server.__exit__(None, None, None)

    def _send(self, key: str, seconds: float) -> None:
        connection = Connection(self._address)
        end = time.monotonic() + seconds
        for number in itertools.count():
            if time.monotonic() > end:
                return
            name = f"Probe{number}"
            body = json.dumps({"labels": {"alertname": name, "service": "probe", "kind": "probe"}}).encode()
            head = f"POST /api/v1/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Api-Key {key}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            began = time.perf_counter()
            if connection.exchange(head.encode() + body) == 202:
                self._sent[name] = began
                self.accepted += 1
            time.sleep(EVERY)

    def _receive(self, request: Request) -> Reply:
        now = time.perf_counter()
        message = json.loads(request.body)["data"]
        self._messages[request.headers["webhook-id"]] += 1
        for name in {alert["labels"]["alertname"] for alert in message["alerts"]}:
            self._arrived.setdefault(name, now)
        return Reply(200, b"{}")

    def arrivals(self) -> list[float]:
        """Return the seconds from POST to arrival of every probe that arrived."""
        return [self._arrived[name] - sent for name, sent in self._sent.items() if name in self._arrived]

    def missing(self) -> int:
        """Return how many accepted probes never arrived."""
        return len(self._sent.keys() - self._arrived.keys())

    def doubled(self) -> int:
        """Return how many messages arrived more than once."""
        return sum(count - 1 for count in self._messages.values())
