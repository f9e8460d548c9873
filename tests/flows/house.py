"""One tenant as its people see it: everything goes in over HTTP, and comes out at fakes of the providers."""

import base64
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from tests.factories import make_key, make_tenant
from tests.fakes.slack import FakeSlack
from tests.fakes.smtp import FakeSMTP
from tests.fakes.webhook import FakeWebhook
from tests.stack import Stack, wait_for

_number = itertools.count(1)


@dataclass
class Outside:
    """The providers."""

    slack: FakeSlack
    hook: FakeWebhook
    mail: FakeSMTP
    slack_url: str
    hook_url: str
    secret: ClassVar[str] = "whsec_" + base64.b64encode(b"k" * 24).decode()


class House:
    """A tenant, its key, and what arrived for it; `word` is in every alert and so in every message."""

    def __init__(self, stack: Stack, outside: Outside) -> None:
        self.stack, self.outside = stack, outside
        self.word = f"word{next(_number)}x"
        self.tenant = make_tenant(f"flow-{self.word}")
        self.token = make_key(self.tenant)
        self.channels = {
            "slack": self.make_channel("slack", {"channel": f"#{self.word}"}, {"token": "xoxb-1-2-flows"}),
            "email": self.make_channel(
                "email",
                {
                    "host": "127.0.0.1",
                    "port": outside.mail.port,
                    "security": "none",
                    "to": [f"{self.word}@example.org"],
                    "from_address": "alerts@example.org",
                },
                {},
            ),
            "webhook": self.make_channel(
                "webhook", {"url": f"{outside.hook_url}/{self.word}"}, {"secrets": [outside.secret]}
            ),
        }
        self.route = self.post(
            "routes",
            {
                "name": "everything",
                "parent": None,
                "group_wait": 0,
                "group_interval": 1,
                "repeat_interval": 3600,
                "channels": list(self.channels.values()),
            },
        )["id"]
        self.post("grouping-rules", {"name": "by alert", "group_by": ["alertname"]})

    def make_channel(self, kind: str, settings: dict[str, Any], credentials: dict[str, Any], **more: Any) -> str:
        body = {"name": f"{kind} {self.word}", "kind": kind, "settings": settings, "credentials": credentials, **more}
        return str(self.post("channels", body)["id"])

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send one request as this tenant."""
        return self.stack.request(method, f"/api/v1/{path}", body, self.token, **headers)[:2]

    def post(self, path: str, body: Any) -> Any:
        """Make something; it must work."""
        status, said = self.call("POST", path, body)
        assert status in {200, 201, 202}, (path, status, said)
        return said

    def get(self, path: str) -> Any:
        """Read something that is there."""
        status, said = self.call("GET", path)
        assert status == 200, (path, status, said)
        return said

    def alert(self, name: str = "DiskFull", **more: Any) -> dict[str, Any]:
        """An alert of this tenant in the native form."""
        labels = {"alertname": name, "word": self.word, **more.pop("labels", {})}
        annotations = {"summary": f"{name} of {self.word}"}
        return {"labels": labels, "annotations": annotations, "severity": "critical", **more}

    def slack(self, text: str = "") -> list[str]:
        """What Slack shows in this tenant's channel."""
        found = [json.dumps([one.text, one.blocks]) for one in list(self.outside.slack.messages) if self._is_mine(one)]
        return [one for one in found if text in one]

    def mails(self, text: str = "") -> list[str]:
        """Subject and text of this tenant's mail."""
        mine = [one for one in list(self.outside.mail.arrived) if one.recipients == [f"{self.word}@example.org"]]
        found = [f"{one.message['Subject']}\n{one.body('plain')}" for one in mine]
        return [one for one in found if text in one]

    def hooks(self, text: str = "") -> list[dict[str, Any]]:
        """What the webhook's receiver got, its signature proved."""
        mine = [one for one in list(self.outside.hook.arrived) if one.request.path == f"/{self.word}"]
        assert all(one.signature == "valid" for one in mine)
        return [json.loads(one.request.body) for one in mine if text in one.request.body.decode()]

    def arrives(self, *finders: Callable[[], list[Any]], seconds: float = 20) -> None:
        """Wait until each way out has something."""
        for find in finders:
            wait_for(find, seconds, f"{self.stack.relay.said()[-1500:]}\n{self.stack.notifier.said()[-1500:]}")

    def group(self, name: str = "DiskFull") -> dict[str, Any]:
        """The newest group with this alert's name."""
        found = [one for one in self.get("groups")["results"] if name in json.dumps(one)]
        assert found, name
        return dict(found[0])

    def _is_mine(self, message: Any) -> bool:
        return self.outside.slack.channels.get(message.channel) == self.word
