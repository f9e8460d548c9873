"""Open-loop load over plain sockets: requests leave on schedule whether or not earlier ones were answered."""

import itertools
import random
import socket
import threading
import time
from dataclasses import dataclass, field

REPEATED = 5_000
NEW_SHARE = 0.3
SERVICES = ("recommendations", "streaming-eu", "streaming-us", "billing", "search", "playlists", "login", "ads")
NAMES = tuple(f"Bench{number}" for number in range(25))
#: What the alerts of a tenant's past have in common with those that are sent.
PAST_LABELS = '{"job": "node", "region": "eu-west-1", "cluster": "prod-1"}'
SEVERITIES = ("info", "warning", "error")


def alert_json(number: str, seed: int) -> bytes:
    """Return one alert of about 500 bytes."""
    service, name = SERVICES[seed % len(SERVICES)], NAMES[seed % len(NAMES)]
    return (
        f'{{"labels":{{"alertname":"{name}","service":"{service}","instance":"node-{number}.eu-west.example:9100",'
        f'"region":"eu-west-{seed % 3}","job":"node","team":"team-{seed % 12}","cluster":"prod-{seed % 4}"}},'
        f'"annotations":{{"summary":"Latency of {service} on node-{number} is above its limit",'
        f'"description":"The 99th percentile has been above 250 ms for five minutes and rises"}},'
        f'"severity":"{SEVERITIES[seed % 3]}","status":"firing","generator_url":"https://metrics.example.org/g?n={seed}",'
        f'"metric":{{"name":"latency_p99_ms","value":{200 + seed % 300}}}}}'
    ).encode()


class Bodies:
    """Makes request bodies: 30 % alerts never seen, 70 % repeats of 5,000."""

    def __init__(self, batch: int, run: str) -> None:
        self._batch = batch
        self._run = run
        self._known = [alert_json(f"known-{run}-{number}", number) for number in range(REPEATED)]
        self._new = itertools.count()
        self._random = random.Random(7)
        self._lock = threading.Lock()

    def next(self) -> bytes:
        """Return the next body."""
        with self._lock:
            items = [self._item() for _ in range(self._batch)]
        return items[0] if self._batch == 1 else b"[" + b",".join(items) + b"]"

    def _item(self) -> bytes:
        if self._random.random() < NEW_SHARE:
            number = next(self._new)
            return alert_json(f"new-{self._run}-{number}", number)
        return self._known[int(self._random.random() * REPEATED)]


@dataclass
class Outcome:
    """What the senders saw; latencies in seconds, counted from the time a request was due."""

    latencies: list[float] = field(default_factory=list)
    accepted: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0


class Load:
    """Sends batches at a rate for a time over a number of connections."""

    def __init__(self, host: str, port: int, key: str, *, batch: int, rate: float, seconds: float, run: str) -> None:
        self._address = (host, port)
        self._head = (
            f"POST /api/v1/alerts HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Api-Key {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._batch, self._seconds = batch, seconds
        self._interval = batch / rate
        self._bodies = Bodies(batch, run)
        self._ticket = itertools.count()
        self.outcome = Outcome()
        self._lock = threading.Lock()

    def run(self, connections: int = 8) -> Outcome:
        """Send until the time is over and every request is answered."""
        self._start = time.perf_counter() + 0.1
        threads = [threading.Thread(target=self._sender) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.outcome.seconds = time.perf_counter() - self._start
        return self.outcome

    def _sender(self) -> None:
        connection = Connection(self._address)
        while True:
            body = self._bodies.next()
            due = self._start + next(self._ticket) * self._interval
            if due - self._start >= self._seconds:
                return
            if (wait := due - time.perf_counter()) > 0:
                time.sleep(wait)
            status = connection.exchange(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)
            self._note(status, time.perf_counter() - due)

    def _note(self, status: int, latency: float) -> None:
        with self._lock:
            self.outcome.latencies.append(latency)
            if status == 202:
                self.outcome.accepted += self._batch
            else:
                self.outcome.refused[status] = self.outcome.refused.get(status, 0) + 1


class Connection:
    """One kept-alive HTTP connection that only understands answers with a Content-Length."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._socket: socket.socket | None = None

    def exchange(self, request: bytes) -> int:
        """Send a request and return the status; 0 when the connection broke."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._address, timeout=30)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(request)
            return self._answer(self._socket)
        except (OSError, ValueError):
            self._socket = None
            return 0

    def _answer(self, connection: socket.socket) -> int:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more(connection)
        head, _, rest = data.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(rest) < length:
            rest += self._more(connection)
        return int(head[9:12])

    def _more(self, connection: socket.socket) -> bytes:
        piece = connection.recv(65_536)
        if not piece:
            raise ValueError("The server closed the connection.")
        return piece
