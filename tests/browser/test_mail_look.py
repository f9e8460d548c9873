"""Mails as a reader sees them: narrow and wide, by day and by night; all of it readable and nothing cut off.

`BROWSER_PICTURES=<folder> pytest tests/browser/test_mail_look.py` keeps a picture of each, to be looked at;
those of docs/images were made so.
"""

import io
import os
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest
from django.conf import LazySettings
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page

from channels.mail.attached import Attachment
from channels.mail.building import build_mail, to_bytes
from channels.message import Message
from channels.templating.samples import worst_messages
from tests.channels.languages.situations import situation
from tests.channels.sending import outgoing

pytestmark = pytest.mark.browser
WIDTHS = {"narrow": 360, "wide": 900}
SHOWN = [("09-group", "en"), ("03-anomaly", "fr"), ("13-escalation", "de"), ("02-threshold-over", "es")]
SETTINGS = {"host": "mail.example.com", "to": ["olga@example.com"], "from_address": "alerts@example.com"}
#: Text whose contrast with what is behind it is less than WCAG's AA wants, with its ratio.
FAINT = """() => {
  const rgb = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => {
    for (let one = node; one; one = one.parentElement) {
      const colour = rgb(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.5) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, box = node.parentElement.getBoundingClientRect();
    const style = getComputedStyle(node.parentElement);
    if (!node.textContent.trim() || box.width < 2 || style.fontSize === "0px" || style.display === "none") continue;
    const [a, b] = [light(rgb(style.color)), light(behind(node.parentElement))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push([node.textContent.trim().slice(0, 40), ratio.toFixed(2)]);
  }
  return found;
}"""


def chart(message: Message) -> list[Attachment]:
    """Draw a picture as a chart would be one."""
    picture = Image.new("RGB", (1088, 360), "#ffffff")
    pen = ImageDraw.Draw(picture)
    pen.rectangle([40, 150, 1048, 250], fill="#e3ecfa")
    pen.line([(40 + n * 12, 200 + (n * 37 % 60) - 30 - (140 if n > 76 else 0)) for n in range(85)], "#1f5fbf", 4)
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return [Attachment(name="chart-1.png", mime="image/png", content=content.getvalue(), alt="p99 latency, last 6 h")]


def html_of(message: Message) -> str:
    """Return the mail's HTML with its pictures in it, as mail programs put them there."""
    made = outgoing("email", SETTINGS, {}, message=message)
    mail = message_from_bytes(to_bytes(build_mail(made)), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("html",))
    assert body is not None
    html: str = body.get_content()
    for part in mail.walk():
        if part.get_content_maintype() == "image":
            cid = str(part["Content-ID"]).strip("<>")
            data = str(part.get_payload()).replace("\n", "")
            html = html.replace(f"cid:{cid}", f"data:{part.get_content_type()};base64,{data}")
    return html


def told(name: str, language: str) -> Message:
    message = situation(name, language)
    ack = "https://alerts.example.com/mail/acknowledge/x" if message.status == "firing" else ""
    return msgspec.structs.replace(message, ack_url=ack, consent_url="https://alerts.example.com/mail/consent/x")


def opened(browser: Browser, html: str, width: int, scheme: Any) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme).new_page()
    page.set_content(html)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("name", "language"), SHOWN)
def test_a_mail_can_be_read(
    browser: Browser, settings: LazySettings, name: str, language: str, width: str, scheme: str
) -> None:
    settings.MESSAGE_ATTACHMENTS = [f"{__name__}.chart"] if name == "03-anomaly" else []
    message = told(name, language)
    page = opened(browser, html_of(message), WIDTHS[width], scheme)
    if folder := os.environ.get("BROWSER_PICTURES"):
        page.screenshot(path=f"{folder}/mail-{name}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]
    assert page.evaluate(FAINT) == []
    assert page.locator("h1").bounding_box() is not None
    shown = page.locator("a", has_text="").all()
    assert all(box["x"] + box["width"] <= WIDTHS[width] for one in shown if (box := one.bounding_box()))
    if name == "03-anomaly":
        assert page.locator("img").evaluate("one => one.naturalWidth") == 1088
    page.context.close()


def test_the_longest_words_of_the_worst_message_break(browser: Browser) -> None:
    for message in worst_messages():
        page = opened(browser, html_of(message), 360, "light")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.context.close()
