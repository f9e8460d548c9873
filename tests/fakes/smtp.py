"""An SMTP sink on loopback that keeps mail and fails on demand."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

MAX_KEPT = 500
logging.getLogger("mail.log").setLevel(logging.WARNING)
DROP = "drop"


@dataclass(frozen=True)
class Mail:
    """One mail as it came over the wire."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The parsed mail."""
        return message_from_bytes(self.raw, policy=policy.default)

    def body(self, kind: str) -> str:
        """Return the text of the `plain` or `html` part, empty when there is none."""
        part = self.message.get_body((kind,))
        return part.get_content().replace("\r\n", "\n") if part is not None else ""


class FakeSMTP:
    """Takes mail until the `with` block ends.

    `rcpt_script` and `data_script` hold the answers of the next commands, such as "451 later";
    "drop" as answer to the data keeps the mail and cuts the line before saying so.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        on_mail: Callable[[Mail], None] | None = None,
    ) -> None:
        self.arrived: deque[Mail] = deque(maxlen=MAX_KEPT)
        self.rcpt_script: deque[str] = deque()
        self.data_script: deque[str] = deque()
        self.on_mail = on_mail
        self.port = port
        self._login = login
        self._starttls = None if implicit_tls else tls
        self._tls = tls if implicit_tls else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> FakeSMTP:
        """Begin to listen; `port` says where."""
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self.port = listening.result(timeout=10)
        return self

    def stop(self) -> None:
        """Stop listening and free the port."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def __enter__(self) -> FakeSMTP:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    async def _listen(self) -> int:
        self._server = await self._loop.create_server(self._protocol, "127.0.0.1", self.port, ssl=self._tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()

    def _protocol(self) -> SMTP:
        return SMTP(
            self,
            hostname="sink.localhost",
            enable_SMTPUTF8=True,
            tls_context=self._starttls,
            auth_required=self._login is not None,
            auth_require_tls=False,
            authenticator=self._authenticate,
            loop=self._loop,
        )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if self._login is None:
            return AuthResult(success=True)
        given = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self._login, handled=False)

    async def handle_RCPT(  # noqa: N802  aiosmtpd names it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt_script:
            return self.rcpt_script.popleft()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  aiosmtpd names it so
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.data_script.popleft() if self.data_script else "250 OK"
        if answer.startswith("250") or answer == DROP:
            self._keep(envelope)
        if answer == DROP:
            transport = cast(asyncio.Transport, server.transport)
            transport.abort()
            return "250 OK"
        return answer

    def _keep(self, envelope: Envelope) -> None:
        raw = envelope.content or b""
        mail = Mail(
            sender=envelope.mail_from or "",
            recipients=list(envelope.rcpt_tos),
            raw=raw.encode() if isinstance(raw, str) else raw,
        )
        self.arrived.append(mail)
        if self.on_mail is not None:
            self.on_mail(mail)
