"""The sending APIs of mail providers: they refuse what the real ones refuse, and keep what arrived."""

from __future__ import annotations

import base64
import json
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.http import Reply, Request

KEY = "key-0123456789"


@dataclass(frozen=True)
class Sent:
    """One mail as a provider understood it."""

    provider: str
    path: str
    sender: str
    to: list[str]
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    files: list[str]


class Refused(Exception):
    """The request is answered with this status and body."""

    def __init__(self, status: int, **body: Any) -> None:
        self.reply = Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
        super().__init__(status)


class FakeMailProviders:
    """Answers as the provider of the first part of the path; `script` holds replies to be given first."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.script: deque[Reply] = deque()

    def __call__(self, request: Request) -> Reply:
        if self.script:
            return self.script.popleft()
        _empty, provider, path = request.path.split("/", 2)
        try:
            sent, answer, status, headers = getattr(self, f"_{provider}")(request, path)
        except Refused as refused:
            return refused.reply
        self.sent.append(sent)
        return Reply(status, json.dumps(answer).encode() if answer else b"", headers)

    def _postmark(self, request: Request, path: str) -> Any:
        if request.headers.get("x-postmark-server-token") != KEY:
            raise Refused(401, ErrorCode=10, Message="No valid API token")
        body = json.loads(request.body)
        need(path == "email" and body.get("From") and body.get("To"), 422, ErrorCode=300, Message="Invalid")
        need(body.get("HtmlBody") or body.get("TextBody"), 422, ErrorCode=300, Message="no body")
        sent = Sent(
            "postmark",
            path,
            body["From"],
            [body["To"]],
            body["Subject"],
            body.get("TextBody", ""),
            body.get("HtmlBody", ""),
            {one["Name"]: one["Value"] for one in body.get("Headers", [])},
            [decoded(one["Content"], one["Name"]) for one in body.get("Attachments", [])],
        )
        answer = {"ErrorCode": 0, "Message": "OK", "MessageID": "pm-1", "To": body["To"]}
        return sent, answer, 200, {"Content-Type": "application/json"}

    def _sendgrid(self, request: Request, path: str) -> Any:
        need(request.headers.get("authorization") == f"Bearer {KEY}", 401, errors=[{"message": "unauthorized"}])
        body = json.loads(request.body)
        [person] = body.get("personalizations") or [None]
        need(path == "mail/send" and person and body.get("from", {}).get("email"), 400, errors=[{"field": "from"}])
        kinds = [one["type"] for one in body.get("content", [])]
        need(kinds == sorted(kinds, reverse=True) and kinds, 400, errors=[{"message": "text/plain must be first"}])
        text = {one["type"]: one["value"] for one in body["content"]}
        sent = Sent(
            "sendgrid",
            path,
            body["from"]["email"],
            [one["email"] for one in person["to"]],
            person.get("subject") or body["subject"],
            text.get("text/plain", ""),
            text.get("text/html", ""),
            {**body.get("headers", {}), **person.get("headers", {})},
            [decoded(one["content"], one["filename"]) for one in body.get("attachments", [])],
        )
        return sent, None, 202, {"X-Message-Id": "sg-1"}

    def _brevo(self, request: Request, path: str) -> Any:
        need(request.headers.get("api-key") == KEY, 401, code="unauthorized", message="Key not found")
        body = json.loads(request.body)
        need(path == "smtp/email" and body.get("sender", {}).get("email"), 400, code="missing_parameter")
        need(
            body.get("subject") and (body.get("htmlContent") or body.get("textContent")), 400, code="missing_parameter"
        )
        sent = Sent(
            "brevo",
            path,
            body["sender"]["email"],
            [one["email"] for one in body["to"]],
            body["subject"],
            body.get("textContent", ""),
            body.get("htmlContent", ""),
            body.get("headers", {}),
            [decoded(one["content"], one["name"]) for one in body.get("attachment", [])],
        )
        return sent, {"messageId": "<br-1@example>"}, 201, {"Content-Type": "application/json"}

    def _mailgun(self, request: Request, path: str) -> Any:
        given = request.headers.get("authorization", "").removeprefix("Basic ")
        need(base64.b64decode(given) == f"api:{KEY}".encode(), 401, message="Forbidden")
        domain, _slash, rest = path.partition("/")
        need(domain == "example.com", 404, message=f"Domain not found: {domain}")
        fields, files = form_of(request)
        need(rest == "messages" and fields.get("from"), 400, message="from parameter is missing")
        need(
            "@" in fields.get("to", ""), 400, message="to parameter is not a valid address. please check documentation"
        )
        need(fields.get("text") or fields.get("html"), 400, message="Need at least one of 'text', 'html'")
        sent = Sent(
            "mailgun",
            path,
            fields["from"],
            [fields["to"]],
            fields["subject"],
            fields.get("text", ""),
            fields.get("html", ""),
            {name.removeprefix("h:"): value for name, value in fields.items() if name.startswith("h:")},
            files,
        )
        answer = {"id": "<mg-1@example.com>", "message": "Queued. Thank you."}
        return sent, answer, 200, {"Content-Type": "application/json"}

    def _resend(self, request: Request, path: str) -> Any:
        need(request.headers.get("authorization") == f"Bearer {KEY}", 401, name="missing_api_key", message="no key")
        body = json.loads(request.body)
        need(path == "emails" and body.get("from") and body.get("to"), 422, name="missing_required_field", message="x")
        need(body.get("subject") and (body.get("html") or body.get("text")), 422, name="missing_required_field")
        to = body["to"] if isinstance(body["to"], list) else [body["to"]]
        sent = Sent(
            "resend",
            path,
            body["from"],
            to,
            body["subject"],
            body.get("text", ""),
            body.get("html", ""),
            body.get("headers", {}),
            [decoded(one["content"], one["filename"]) for one in body.get("attachments", [])],
        )
        return sent, {"id": "rs-1"}, 200, {"Content-Type": "application/json"}


def need(condition: Any, status: int, **body: Any) -> None:
    """Refuse a request that lacks something."""
    if not condition:
        raise Refused(status, **body)


def decoded(content: str, name: str) -> str:
    """Return the name of a file whose content is base64; refuse another."""
    try:
        base64.b64decode(content, validate=True)
    except ValueError as error:
        raise Refused(400, message="attachment is not base64") from error
    return name


def form_of(request: Request) -> tuple[dict[str, str], list[str]]:
    """Return the fields and the names of the files of a form."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    if not request.headers["content-type"].startswith("multipart/"):
        return {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}, []
    parts: list[Message] = message_from_bytes(head + request.body).get_payload()  # type: ignore[assignment]
    fields: dict[str, str] = {}
    files: list[str] = []
    for part in parts:
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        if part.get_filename():
            files.append(str(part.get_filename()))
        else:
            fields[name] = bytes(content).decode()  # type: ignore[arg-type]
    return fields, files
