"""A generic HTTP gateway for SMS: one POST made from a template that the tenant writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from django.utils.translation import gettext as _

from channels import egress
from channels.adapters.base import Outgoing
from channels.errors import ChannelError, ErrorReason
from channels.retry_after import read_retry_after

DEFAULT_REQUEST = '{"to": "{to}", "from": "{from}", "text": "{text}", "reference": "{id}"}'
CANNOT_ASK = ErrorReason.UNKNOWN
PLACES = ("{to}", "{text}")
MAX_REQUEST = 4_000


def fault_of(template: str) -> str:
    """Return what is wrong with a template of the request, empty when nothing is."""
    if len(template) > MAX_REQUEST or not all(place in template for place in PLACES):
        return _("The request must hold {to} and {text}.")
    try:
        _read(template)
    except (msgspec.DecodeError, ValueError):
        return _("The request is JSON, or a form such as to={to}&text={text}.")
    return ""


def build(template: str, values: Mapping[str, str]) -> tuple[bytes, str]:
    """Return body and content type. Values are put in after the template was read, so none can break out of it."""
    plain, is_json = _read(template)
    if is_json:
        return msgspec.json.encode(_fill(plain, values)), "application/json"
    pairs = [(name, _put(text, values)) for name, text in plain]
    return urlencode(pairs).encode(), "application/x-www-form-urlencoded"


def send(outgoing: Outgoing[Any, Any], text: str, timeout: float) -> str:
    """Post one text and return the gateway's id for it, or the delivery's where it gives none."""
    settings = outgoing.settings
    values = {"to": outgoing.recipient, "from": settings.sender, "text": text, "id": outgoing.delivery_id}
    body, content_type = build(settings.request, values)
    headers = {"Content-Type": content_type, "Idempotency-Key": outgoing.idempotency_key or outgoing.delivery_id}
    if outgoing.credentials.authorization:
        headers["Authorization"] = outgoing.credentials.authorization
    answer = egress.request("POST", settings.url, body=body, headers=headers, timeout=timeout)
    if not 200 <= answer.status < 300:
        raise classify(answer)
    return find_id(answer.body, settings.id_field)[:200] or outgoing.delivery_id


def find_id(body: bytes, path: str) -> str:
    """Return what stands in a JSON answer at a path such as messages.0.id; empty when nothing does."""
    try:
        return value_at(msgspec.json.decode(body), path)
    except msgspec.DecodeError:
        return ""


def value_at(value: Any, path: str) -> str:
    """Return the text or number at a path such as messages.0.id of plain data; empty when there is none."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ""
    return str(value) if isinstance(value, str | int) else ""


def classify(answer: egress.Answer) -> ChannelError:
    """Say what an answer other than 2xx means for the next try."""
    status, detail = answer.status, f"HTTP {answer.status}"
    wait = read_retry_after(answer.headers)
    if status == 429:
        return ChannelError(ErrorReason.RATE_LIMITED, detail, retry_after=wait, status=status)
    if status == 503:
        return ChannelError(ErrorReason.SERVER_ERROR, detail, retry_after=wait, status=status)
    if status >= 500 or status == 408:
        # A gateway that failed may have handed the text on before it did.
        return ChannelError(ErrorReason.SERVER_ERROR, detail, retry_after=wait, status=status, ambiguous=True)
    reasons = {401: ErrorReason.AUTH, 403: ErrorReason.AUTH, 413: ErrorReason.TOO_LARGE}
    return ChannelError(reasons.get(status, ErrorReason.CLIENT_ERROR), detail, permanent=True, status=status)


def _read(template: str) -> tuple[Any, bool]:
    if template.lstrip().startswith(("{", "[")) and not template.lstrip().startswith(PLACES):
        return msgspec.json.decode(template), True
    return parse_qsl(template, strict_parsing=True, keep_blank_values=True), False


def _fill(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _put(value, values)
    if isinstance(value, list):
        return [_fill(one, values) for one in value]
    if isinstance(value, dict):
        return {name: _fill(one, values) for name, one in value.items()}
    return value


def _put(text: str, values: Mapping[str, str]) -> str:
    """Fill in one pass, so that braces within a value stay what they are."""
    pieces, rest = [], text
    while rest:
        before, mark, after = rest.partition("{")
        pieces.append(before)
        name, closed, tail = after.partition("}")
        if mark and closed and name in values:
            pieces.append(values[name])
            rest = tail
        else:
            pieces.append(mark)
            rest = after
    return "".join(pieces)
