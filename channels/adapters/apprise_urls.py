"""Which of Apprise's addresses a tenant may use: well-known services, and own servers whose host is checked."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

#: Services whose host is fixed in Apprise: nothing that a tenant writes chooses where the request goes.
HOSTED: Final = frozenset(
    [
        "bluesky",
        "brevo",
        "bulksms",
        "burstsms",
        "chanify",
        "clickatell",
        "clicksend",
        "d7sms",
        "dingtalk",
        "discord",
        "feishu",
        "flock",
        "gchat",
        "guilded",
        "ifttt",
        "ilert",
        "incidentio",
        "join",
        "kavenegar",
        "lark",
        "line",
        "mailersend",
        "msg91",
        "msgbird",
        "onesignal",
        "opsgenie",
        "pagerduty",
        "pagertree",
        "pbul",
        "plivo",
        "postmark",
        "pover",
        "prowl",
        "pushed",
        "pushme",
        "pushy",
        "resend",
        "revolt",
        "ryver",
        "sendgrid",
        "signl4",
        "simplepush",
        "sinch",
        "slack",
        "spike",
        "splunk",
        "spugpush",
        "squadcast",
        "strmlabs",
        "tgram",
        "threema",
        "twist",
        "victorops",
        "vonage",
        "webex",
        "wecombot",
        "whatsapp",
        "wxpusher",
        "wxteams",
        "zoom",
        "zulip",
    ]
)
#: Own servers: the tenant gives the host, so it is resolved and checked before each send.
OWN_SERVERS: Final = frozenset(
    [
        "apprise",
        "apprises",
        "form",
        "forms",
        "goalert",
        "goalerts",
        "gotify",
        "gotifys",
        "hassio",
        "hassios",
        "json",
        "jsons",
        "matrix",
        "matrixs",
        "mmost",
        "mmosts",
        "ncloud",
        "nclouds",
        "nctalk",
        "nctalks",
        "ntfy",
        "ntfys",
        "rocket",
        "rockets",
        "synology",
        "synologys",
        "workflow",
        "workflows",
        "xml",
        "xmls",
    ]
)
#: The only options of an address that are taken. Others could name local files or turn off checks.
OPTIONS: Final = frozenset(
    [
        "apikey",
        "avatar",
        "channels",
        "color",
        "device",
        "emojis",
        "format",
        "from",
        "icon",
        "image",
        "mode",
        "name",
        "priority",
        "region",
        "silent",
        "sound",
        "tags",
        "thread",
        "to",
        "topic",
        "tts",
    ]
)
# JSON, XML and form services take extra fields (:), headers (+) and parameters (-) of the tenant's own.
EXTRA = re.compile(r"[:+-][A-Za-z0-9_.-]{1,60}")
SCHEME = re.compile(r"[a-z][a-z0-9]{1,20}")
MAX_URL = 2_000


def fault_of(url: str) -> str:
    """Return what is wrong with an address, without quoting it; empty when nothing is."""
    scheme = scheme_of(url)
    if len(url) > MAX_URL or not url.isprintable() or not SCHEME.fullmatch(scheme):
        return _("This is not an address of Apprise.")
    if scheme not in HOSTED and scheme not in OWN_SERVERS:
        return _("The service %(scheme)s is not allowed.") % {"scheme": scheme}
    if scheme in OWN_SERVERS and not getattr(settings, "APPRISE_OWN_SERVERS", False):
        return _("Own servers are switched off by the operator.")
    try:
        query = urlsplit(url).query
    except ValueError:
        return _("This is not an address of Apprise.")
    for name, _value in parse_qsl(query, keep_blank_values=True):
        if name.lower() not in OPTIONS and not EXTRA.fullmatch(name):
            return _("The option %(name)s is not allowed.") % {"name": name[:30]}
    return ""


def scheme_of(url: str) -> str:
    """Return the name of the service in lower case, empty when there is none."""
    name, mark, _rest = url.partition("://")
    return name.strip().lower() if mark else ""
