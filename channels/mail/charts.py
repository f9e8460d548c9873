"""Pictures of charts that an alert links to, fetched from this service alone and put into the mail."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from django.conf import settings

from channels.egress.operator import request_operator
from channels.mail.attached import Attachment
from channels.message import Message
from channels.sanitise import one_line

#: Under these names an alert says where its chart is drawn.
ANNOTATIONS: Final = ("chart_url",)
MAX_CHARTS: Final = 3
SECONDS: Final = 4.0
PNG: Final = b"\x89PNG\r\n\x1a\n"


class NoChart(Exception):
    """What came back is no picture."""


def linked_charts(message: Message) -> list[Attachment]:
    """Return the charts of the message's alerts (`settings.MESSAGE_ATTACHMENTS`).

    Only addresses of our own are asked: those of others would learn when and where a mail is sent.
    """
    base = settings.PUBLIC_BASE_URL.rstrip("/")
    wanted: dict[str, str] = {}
    for alert in message.alerts:
        for name in ANNOTATIONS:
            url = alert.annotations.get(name, "")
            if url.startswith(f"{base}/"):
                wanted.setdefault(url, one_line(alert.annotations.get("summary") or alert.labels.get("alertname", "")))
    return [
        Attachment(name=f"chart-{number}.png", mime="image/png", content=_picture(url, message.created_at), alt=alt)
        for number, (url, alt) in enumerate(list(wanted.items())[:MAX_CHARTS], start=1)
    ]


@lru_cache(maxsize=64)
def _picture(url: str, at: datetime) -> bytes:
    """Return one picture; all recipients of a message get the same."""
    answer = request_operator("GET", url, base_url=settings.PUBLIC_BASE_URL, timeout=SECONDS)
    if answer.status != 200 or answer.truncated or not answer.body.startswith(PNG):
        raise NoChart(f"HTTP {answer.status}, {len(answer.body)} bytes")
    return answer.body
