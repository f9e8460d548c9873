"""A Slack client that calls only the configured address and tries once."""

from __future__ import annotations

import logging
import ssl
from functools import cache
from typing import Any
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

import certifi
from django.conf import settings
from slack_sdk import WebClient

MAX_ANSWER = 4 * 1024 * 1024
DEFAULT_BASE_URL = "https://slack.com/api/"
# The SDK logs each failure with the answer's text; the delivery engine already records it.
_quiet = logging.getLogger("channels.slack_sdk")
_quiet.setLevel(logging.CRITICAL)


class SlackClient(WebClient):
    """The SDK's client without its retries, the proxies of the process and redirects.

    The SDK would repeat a send after a broken connection, which shows readers the same message
    twice, and its default opener follows redirects with the token.
    """

    def __init__(self, token: str, timeout: float) -> None:
        super().__init__(
            token=token,
            base_url=getattr(settings, "SLACK_API_BASE_URL", "") or DEFAULT_BASE_URL,
            timeout=int(timeout),
            ssl=_tls(),
            retry_handlers=[],
            logger=_quiet,
        )
        self.proxy = None
        self._opener = build_opener(ProxyHandler({}), HTTPSHandler(context=self.ssl), _NoRedirects())

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        if not url.startswith(self.base_url):
            raise ValueError("not an address of the configured Slack API")
        with self._opener.open(req, timeout=self.timeout) as response:
            body = response.read(MAX_ANSWER)
            return {
                "status": response.status,
                "headers": response.headers,
                "body": body.decode("utf-8", "replace"),
            }


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificate store costs more than a whole send, so it is read once.
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None
