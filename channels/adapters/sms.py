"""SMS: short texts to numbers through Twilio or any gateway with an HTTP interface."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import egress
from channels.adapters.base import Account, Adapter, AdapterCredentials, AdapterSettings, Outgoing, Receipt, fingerprint
from channels.callbacks.gateway import RANKS, read_states
from channels.egress.client import TOTAL_SECONDS
from channels.errors import ChannelError
from channels.sms import http_gateway, quiet, twilio_gateway
from channels.sms.composing import compose
from channels.sms.fitting import Fitted
from channels.sms.numbers import InvalidNumber, is_country, read_number

ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
SERVICE_SID = re.compile(r"MG[0-9a-fA-F]{32}")
#: A name in place of a number: at most eleven characters, one of them a letter.
SENDER_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}")
# What a gateway takes from one account; what the networks let through per sender it queues itself.
ACCOUNT_PER_MINUTE = 600
MAX_RECIPIENTS, MOST_SEGMENTS = 50, 3
HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
MAX_STATES, SHORTEST_SECRET = 100, 16


class SmsSettings(AdapterSettings, frozen=True, kw_only=True):
    """`to` are telephone numbers, each told by itself; `sender` is what readers see as the origin.

    `gateway` twilio needs `account_sid`; http needs `url` and `request`, whose `{to}`, `{text}`, `{from}` and
    `{id}` are filled in. `quiet_hours` such as 22:00-07:00 hold back all that is not critical. The `receipt_` ones
    and `answer_` ones say how such a gateway tells how far a message got and what people write back
    (docs/how-to/callbacks.md).
    """

    to: list[str]
    sender: str = ""
    gateway: Literal["twilio", "http"] = "twilio"
    account_sid: str = ""
    countries: list[str] = []
    max_segments: int = 1
    replies: bool = True
    quiet_hours: str = ""
    time_zone: str = ""
    url: str = ""
    request: str = http_gateway.DEFAULT_REQUEST
    id_field: str = "id"
    receipt_header: str = "X-Signature"
    receipt_id: str = "id"
    receipt_status: str = "status"
    receipt_error: str = "error"
    receipt_states: list[str] = []
    answer_id: str = "id"
    answer_from: str = "from"
    answer_text: str = "text"

    def problems(self) -> dict[str, str]:
        """Check the numbers, the hours and what the chosen gateway needs."""
        found = self._number_problems()
        if not 1 <= self.max_segments <= MOST_SEGMENTS:
            found["max_segments"] = _("One to three segments.")
        if self.time_zone and not quiet.is_zone(self.time_zone):
            found["time_zone"] = _("Write an IANA time zone such as Europe/Paris.")
        if self.quiet_hours and not _are_hours(self.quiet_hours):
            found["quiet_hours"] = _("Write the hours as 22:00-07:00.")
        return found | (self._twilio_problems() if self.gateway == "twilio" else self._http_problems())

    def _number_problems(self) -> dict[str, str]:
        if unknown := [code for code in self.countries if not is_country(code)]:
            return {"countries": _("There is no country %(code)s.") % {"code": unknown[0][:10]}}
        if not 1 <= len(self.to) <= MAX_RECIPIENTS:
            return {"to": _("Give one to fifty numbers.")}
        for number in self.to:
            try:
                read_number(number, self.countries)
            except InvalidNumber as error:
                return {"to": f"{number[:30]}: {error}"}
        return {}

    def _twilio_problems(self) -> dict[str, str]:
        found = {}
        if not ACCOUNT_SID.fullmatch(self.account_sid):
            found["account_sid"] = _("An account SID is AC and 32 hexadecimal digits.")
        if not _is_sender(self.sender):
            found["sender"] = _("Give a number, a messaging service (MG...) or a name of at most 11 characters.")
        return found

    def _http_problems(self) -> dict[str, str]:
        found = {}
        try:
            egress.check_url(self.url)
        except egress.Blocked as error:
            found["url"] = error.detail
        if fault := http_gateway.fault_of(self.request):
            found["request"] = fault
        return found | self._receipt_problems()

    def _receipt_problems(self) -> dict[str, str]:
        if not HEADER.fullmatch(self.receipt_header):
            return {"receipt_header": _("Write the name of a header such as X-Signature.")}
        try:
            read_states(self.receipt_states[:MAX_STATES])
        except ValueError as error:
            known = ", ".join(RANKS)
            words = _("%(line)s: write WORD=state, where the state is one of %(known)s.")
            return {"receipt_states": words % {"line": error, "known": known}}
        return {}


class SmsCredentials(AdapterCredentials, frozen=True, kw_only=True):
    """`auth_token` signs Twilio's callbacks and logs in unless an API key is given; `authorization` is a header.

    `api_key` (SK...) with `api_secret` log in at Twilio instead of the token, as Twilio recommends. Any of
    `webhook_secrets` signs the calls of another gateway.
    """

    auth_token: str = ""
    api_key: str = ""
    api_secret: str = ""
    authorization: str = ""
    webhook_secrets: list[str] = []

    def problems(self) -> dict[str, str]:
        """Check that a key comes with its secret, that nothing holds line ends, and that no secret can be guessed."""
        for name in ("auth_token", "api_key", "api_secret", "authorization"):
            value = getattr(self, name)
            if not (value.isascii() and (value.isprintable() or not value)):
                return {name: _("Only plain characters are allowed here.")}
        if any(len(secret) < SHORTEST_SECRET for secret in self.webhook_secrets):
            return {"webhook_secrets": _("A secret has at least 16 characters.")}
        if bool(self.api_key) != bool(self.api_secret):
            return {"api_secret": _("An API key and its secret come together.")}
        return {}


SmsOutgoing = Outgoing[SmsSettings, SmsCredentials]


class SmsAdapter(Adapter[SmsSettings, SmsCredentials]):
    """Neither gateway drops repeats; Twilio can be asked what it took, other gateways cannot."""

    kind = "sms"
    label = gettext_lazy("SMS")
    Settings = SmsSettings
    Credentials = SmsCredentials
    parts = {"text": "text"}
    can_find = True
    has_accounts = True
    default_rate_per_minute = 60
    send_timeout = TOTAL_SECONDS
    admission = "channels.sms.admission.admit"
    preview_notes = "channels.sms.usage.preview_notes"

    def recipients(self, settings: SmsSettings) -> list[str]:
        """Return the numbers in E.164, each once."""
        return list(dict.fromkeys(read_number(number, settings.countries) for number in settings.to))

    def place(self, settings: SmsSettings) -> str:
        """Return Twilio, or scheme, host and port of the gateway's address."""
        if settings.gateway == "twilio":
            return settings.gateway
        address = urlsplit(settings.url)
        return f"{address.scheme}://{address.netloc.lower()}"

    def account(self, settings: SmsSettings, credentials: SmsCredentials) -> Account:
        """Return the account at Twilio, or the gateway's address with who logs in there."""
        if settings.gateway == "twilio":
            return Account(key=settings.account_sid, detail=settings.account_sid, per_minute=ACCOUNT_PER_MINUTE)
        key = fingerprint(settings.url, credentials.authorization)
        return Account(key=key, detail=urlsplit(settings.url).netloc.rpartition("@")[2], per_minute=ACCOUNT_PER_MINUTE)

    def send(self, outgoing: SmsOutgoing) -> Receipt:
        """Send one text; the receipt tells its segments."""
        fitted = text_of(outgoing)
        if outgoing.settings.gateway == "twilio":
            provider_id = twilio_gateway.send(outgoing, fitted.text, self.send_timeout)
        else:
            provider_id = http_gateway.send(outgoing, fitted.text, self.send_timeout)
        return Receipt(provider_id=provider_id, detail={"segments": str(fitted.segments), "encoding": fitted.encoding})

    def find(self, outgoing: SmsOutgoing, since: datetime) -> Receipt | None:
        """Look for the text among what Twilio sent to the number since then."""
        if outgoing.settings.gateway != "twilio":
            raise ChannelError(http_gateway.CANNOT_ASK, _("This gateway cannot be asked what it sent."), permanent=True)
        found = twilio_gateway.find(outgoing, text_of(outgoing).text, since, self.send_timeout)
        return Receipt(provider_id=found) if found else None


def text_of(outgoing: SmsOutgoing) -> Fitted:
    """Return the text of a delivery as it goes out."""
    settings = outgoing.settings
    return compose(
        outgoing.message,
        outgoing.part("text"),
        outgoing.delivery_id,
        max_segments=settings.max_segments,
        # Another gateway's answers are taken where its calls can be proven.
        replies=settings.replies and (settings.gateway == "twilio" or bool(outgoing.credentials.webhook_secrets)),
    )


def _is_sender(text: str) -> bool:
    if SERVICE_SID.fullmatch(text) or SENDER_NAME.fullmatch(text):
        return True
    try:
        return read_number(text) == text
    except InvalidNumber:
        # Short codes are no numbers of the plan; three to eight digits.
        return text.isdigit() and 3 <= len(text) <= 8


def _are_hours(text: str) -> bool:
    try:
        quiet.read_hours(text)
    except ValueError:
        return False
    return True
