"""Three tenants full of rows, everybody who may ask for them, and the oracle that knows whose words are whose."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import redis
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from tenants.context import tenant_context
from tenants.isolation import TenantOwned
from tests.factories import make_key, make_member, make_tenant
from tests.security.house import HOOK, House

#: Words that appear nowhere by chance.
MARKERS = ("zqalphaq", "zqbravoq", "zqcharlq")
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class Party:
    """One tenant, its rows by the name of their route, and its people."""

    house: House
    clients: dict[str, Client]
    ids: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def make(cls, marker: str) -> "Party":
        tenant = make_tenant(f"{marker}-tenant")
        house = House(tenant, marker)
        clients = {"owner": house.client, "viewer": Client(raise_request_exception=False)}
        clients["viewer"].force_login(make_member(tenant, "viewer", f"viewer-{marker}"))
        key = {"Authorization": f"Api-Key {make_key(tenant)}"}
        clients["key"] = Client(headers=key, raise_request_exception=False)
        return cls(house, clients, {name: [str(value)] for name, value in house.ids.items()})

    @property
    def marker(self) -> str:
        return self.house.marker

    @property
    def tenant_id(self) -> UUID:
        return self.house.tenant.pk

    def rows_of(self, model: type[models.Model]) -> list[str]:
        """The ids of a model's rows, as the tenant itself sees them."""
        if not issubclass(model, TenantOwned):
            return [str(self.tenant_id)]
        with tenant_context(self.tenant_id):
            return [str(pk) for pk in model._default_manager.order_by("pk").values_list("pk", flat=True)[:20]]

    def learn(self, name: str, row: str) -> None:
        """Remember a row that was made."""
        self.ids.setdefault(name, []).append(row)


def stranger() -> Client:
    """A person who is a member of nothing."""
    from tenants.models import User

    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_user("nobody-at-all", "nobody@example.org", "x" * 20))
    return client


def bodies(party: Party, aim: "Party", number: int) -> dict[str, dict[str, Any]]:
    """A good body for each route that takes one. Words are the party's own; ids in it are those of `aim`."""
    name = f"{party.marker} {number}"
    matchers = [{"name": "team", "op": "=", "value": party.marker}]
    ids = {key: values[-1] for key, values in aim.ids.items()}
    ends_at = (timezone.now() + timedelta(hours=1)).isoformat()
    alert = {"labels": {"alertname": name, "team": party.marker}, "severity": "critical"}
    window = {"start_date": "2026-01-04", "start_time": "02:00", "duration": 3600, "matchers": matchers}
    parts = {"subject": f"{party.marker} {{{{ title }}}}"}
    source = {"kind": "json", "settings": {"url": f"http://127.0.0.1:9/{party.marker}", "values": {"n": "n"}}}
    return {
        "channels": {"name": name, **HOOK},
        "templates": {"name": name, "kind": "email", "parts": parts},
        "templates/preview": {"kind": "email", "parts": parts, "delivery": ids["deliveries"]},
        "routes": {"name": name, "parent": ids["routes"], "channels": [ids["channels"]], "matchers": matchers},
        "grouping-rules": {"name": name, "group_by": ["team"]},
        "enrichment-steps": {"name": name, "kind": "static", "settings": {"labels": {"site": party.marker}}},
        "inhibition-rules": {"name": name, "source_matchers": matchers, "target_matchers": matchers},
        "maintenance-windows": {"name": name, **window},
        "silences": {"matchers": matchers, "ends_at": ends_at, "comment": name},
        "silences/preview": {"matchers": matchers},
        "api-keys": {"name": name, "scopes": ["alerts:read"]},
        "roles": {"name": name, "permissions": []},
        "metric-sources": {"name": name, **source},
        "metric-sources/try": source,
        "thresholds": {
            "name": name,
            "metric": party.marker,
            "settings": {"above": 1},
            "labels": {"team": party.marker},
        },
        "backtest": {"changes": {"settings": {"above": number}}},
        "feedback": {"verdict": "useful", "note": name},
        "detection-settings": {"sensitivity": 0.6},
        "metric-choices": {"key": "technical.queue_depth", "metric": f"queue_{party.marker}"},
        "alerts": alert,
        "explain": {"alert": alert},
        "policy": {"ignored_labels": [party.marker]},
        "tenant": {"name": name},
        "comment": {"text": name},
        "silence": {"ends_at": ends_at, "comment": name},
        "acknowledge": {"reason": name},
        "unacknowledge": {"reason": name},
        "resolve": {"reason": name},
        "assign": {"username": f"viewer-{aim.marker}"},
    }


#: Bodies that name a row of `aim`, by the name of the route: with a foreign one none of them may succeed.
REFERRING = frozenset({"templates/preview", "routes", "assign"})


class Oracle:
    """Says which words and ids in a text belong to a tenant that it must not come from."""

    def __init__(self, parties: list[Party]) -> None:
        self.parties = parties

    def foreign_in(self, text: str, party: Party | None, sent: str = "") -> list[str]:
        """Return what another tenant than `party` wrote or owns in a text, less what was sent with the question."""
        text, sent = text.lower(), sent.lower()
        ids = set(UUID_TEXT.findall(text))
        found = []
        for other in self.parties:
            if other is party:
                continue
            if (other.marker in text or other.marker.encode().hex() in text) and other.marker not in sent:
                found.append(other.marker)
            known = {one for values in other.ids.values() for one in values} | {str(other.tenant_id)}
            found += [one for one in ids & known if one not in sent]
        return found

    def foreign_in_rows(self) -> dict[str, list[str]]:
        """Look through every row of every tenant, message snapshots and audit log included."""
        wrong = {}
        for party in self.parties:
            with tenant_context(party.tenant_id), connection.cursor() as cursor:
                for table in tenant_tables():
                    cursor.execute(f'SELECT t::text FROM "{table}" t WHERE tenant_id = %s', [party.tenant_id])
                    for (row,) in cursor.fetchall():
                        if found := self._words_in(row, party):
                            wrong[f"{party.marker}: {table}"] = found
        return wrong

    def mixed_in_redis(self, client: redis.Redis) -> list[str]:
        """Return keys that, with their value, hold the words or ids of two tenants, or any tenant's words."""
        wrong = []
        for key in client.scan_iter():
            text = key.decode(errors="replace") + str(client.dump(key))
            owners = [party for party in self.parties if self._words_in(text, None, party)]
            if len(owners) > 1:
                wrong.append(text[:200])
        return wrong

    def _words_in(self, text: str, owner: Party | None, only: Party | None = None) -> list[str]:
        text = text.lower()
        others = [only] if only else [party for party in self.parties if party is not owner]
        return [
            word
            for other in others
            for word in (other.marker, other.marker.encode().hex(), str(other.tenant_id))
            if word in text
        ]


def tenant_tables() -> Iterator[str]:
    """Every table with rows that belong to a tenant."""
    for model in apps.get_models():
        if issubclass(model, TenantOwned):
            yield model._meta.db_table
