"""The text that goes out when even the built-in template fails; made by code alone."""

from __future__ import annotations

from html import escape

from channels.languages import Voice
from channels.message import Message
from channels.sanitise import clean, escape_mrkdwn, http_url, one_line


def plain_part(content_type: str, message: Message, voice: Voice) -> str:
    """Return a bare text in the form that a part wants."""
    title = one_line(message.title, 300) or voice.t("line.unnamed")
    severity = voice.severity(message.severity, message.severity_name)
    status = one_line(f"{voice.status(message.status)} {severity}".strip(), 80)
    if content_type == "line":
        return f"[{status}] {title}"
    lines = [f"[{status}] {title}"]
    lines += [one_line(f"{name}: {value}", 300) for name, value in list(message.group_labels.items())[:20]]
    if url := http_url(message.group_url):
        lines.append(url)
    text = clean("\n".join(lines))
    if content_type == "html":
        return f"<pre>{escape(text)}</pre>"
    return escape_mrkdwn(text) if content_type in {"mrkdwn", "blocks"} else text
