"""One SMTP conversation that knows whether the mail may have been taken."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import certifi
from django.utils.translation import gettext as _

from channels.egress import Checked
from channels.errors import ChannelError, ErrorReason

AUTH_CODES = {530, 534, 535, 538}
RECIPIENT_CODES = {550, 551, 553}
# 5.7 is about the sender or the policy, 5.3 to 5.5 about machines: the address may be well.
NOT_THE_ADDRESS = re.compile(r"\s*5\.[34567]\.\d")
TOO_LARGE_CODES = {552, 554}
CRLF_DOT = b"\r\n.\r\n"


class Conversation:
    """Connects, logs in and hands over one mail, all within one time limit.

    Every failure is a `ChannelError`; it is ambiguous only from the moment the mail itself
    was being sent, for before that no server can have taken it.
    """

    def __init__(self, checked: Checked, *, security: str, timeout: float, local_name: str) -> None:
        self._checked = checked
        self._security = security
        self._timeout = timeout
        self._local_name = local_name
        self._handing_over = False

    def send(self, sender: str, recipient: str, raw: bytes, *, login: tuple[str, str] | None) -> str:
        """Return the server's words of acceptance."""
        try:
            with self._connected() as smtp:
                self._prepare(smtp, login)
                return self._hand_over(smtp, sender, recipient, raw)
        except smtplib.SMTPResponseException as error:
            raise by_code(error.smtp_code, error.smtp_error) from error
        except ssl.SSLCertVerificationError as error:
            detail = _("The certificate of the mail server is not valid for its name.")
            raise ChannelError(ErrorReason.NETWORK, detail, permanent=True) from error
        except TimeoutError as error:
            detail = _("The mail server did not answer in time.")
            raise self._lost(ErrorReason.TIMEOUT, detail) from error
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            # SMTPException is an OSError too; those with a code were handled above.
            detail = _("The connection to the mail server failed.")
            raise self._lost(ErrorReason.NETWORK, detail) from error

    def _lost(self, reason: ErrorReason, detail: str) -> ChannelError:
        return ChannelError(reason, detail, ambiguous=self._handing_over)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        smtp = self._open()
        try:
            yield smtp
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
        finally:
            smtp.close()

    def _open(self) -> smtplib.SMTP:
        kind = _CheckedSMTPS if self._security == "tls" else _CheckedSMTP
        failure: OSError = ConnectionError("no address")
        for address in self._checked.addresses:
            try:
                return kind(self._checked, address, self._timeout, self._local_name)
            except smtplib.SMTPException:
                raise
            except OSError as error:
                failure = error
        raise failure

    def _prepare(self, smtp: smtplib.SMTP, login: tuple[str, str] | None) -> None:
        smtp.ehlo_or_helo_if_needed()
        if self._security == "starttls":
            if not smtp.has_extn("starttls"):
                detail = _("The mail server does not offer STARTTLS.")
                raise ChannelError(ErrorReason.CLIENT_ERROR, detail, permanent=True)
            smtp.starttls(context=_tls())
            smtp.ehlo()
        if login is not None:
            try:
                smtp.login(*login)
            except smtplib.SMTPNotSupportedError as error:
                detail = _("The mail server does not offer a way to log in.")
                raise ChannelError(ErrorReason.AUTH, detail, permanent=True) from error

    def _hand_over(self, smtp: smtplib.SMTP, sender: str, recipient: str, raw: bytes) -> str:
        _expect(smtp.mail(sender), 250)
        try:
            _expect(smtp.rcpt(recipient), 250, 251)
        except smtplib.SMTPResponseException as error:
            raise by_code(error.smtp_code, error.smtp_error, is_about_recipient=True) from error
        _expect(smtp.docmd("DATA"), 354)
        self._handing_over = True
        stuffed = raw.replace(b"\r\n.", b"\r\n..")
        smtp.send(stuffed.removesuffix(b"\r\n") + CRLF_DOT)
        return _expect(smtp.getreply(), 250)


class _CheckedSMTP(smtplib.SMTP):
    """Connects to the checked address, whatever the name says by now.

    Each line of an answer may take the whole time limit by itself, so a timer ends the lot.
    """

    def __init__(self, checked: Checked, address: str, timeout: float, local_name: str) -> None:
        self._address = address
        self._guard = threading.Timer(timeout, _cut, [self])
        self._guard.daemon = True
        super().__init__(checked.host, checked.port, local_hostname=local_name, timeout=timeout)

    def close(self) -> None:
        """Close the connection and call off the timer."""
        self._guard.cancel()
        super().close()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((self._address, port), timeout)
        self._guard.start()
        return connection


class _CheckedSMTPS(_CheckedSMTP):
    """The same, with TLS from the first byte under the name that was given."""

    def __init__(self, checked: Checked, address: str, timeout: float, local_name: str) -> None:
        self._name = checked.host
        super().__init__(checked, address, timeout, local_name)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        return _tls().wrap_socket(plain, server_hostname=self._name)


def by_code(code: int, words: bytes | str, *, is_about_recipient: bool = False) -> ChannelError:
    """Classify an answer of the server: 4xx may pass another time, 5xx will not.

    Only what is said to the recipient's address, and not of a policy, means that the address is dead.
    """
    if code == -1:
        return ChannelError(ErrorReason.NETWORK, _("The connection to the mail server failed."))
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    detail = f"{code} {text}"[:200]
    if 400 <= code < 500:
        slow = code in {421, 450, 452} and "rate" in text.lower()
        reason = ErrorReason.RATE_LIMITED if slow else ErrorReason.SERVER_ERROR
        # 421 closes the line whoever is to be told: the server has had enough of this sender.
        return ChannelError(reason, detail, status=code, is_shared=slow and code == 421)
    reason = ErrorReason.CLIENT_ERROR
    if code in AUTH_CODES:
        reason = ErrorReason.AUTH
    elif code in RECIPIENT_CODES and is_about_recipient and not NOT_THE_ADDRESS.match(text):
        reason = ErrorReason.INVALID_RECIPIENT
    elif code in TOO_LARGE_CODES:
        reason = ErrorReason.TOO_LARGE if code == 552 else ErrorReason.CLIENT_ERROR
    return ChannelError(reason, detail, permanent=True, status=code)


def _expect(reply: tuple[int, bytes], *wanted: int) -> str:
    code, words = reply
    if code not in wanted:
        raise smtplib.SMTPResponseException(code, words)
    return words.decode("utf-8", "replace")


def _cut(smtp: smtplib.SMTP) -> None:
    with suppress(OSError, AttributeError):
        # A shutdown wakes the thread that reads; closing the file alone does not.
        if smtp.sock is not None:
            smtp.sock.shutdown(socket.SHUT_RDWR)


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
