"""Random operations of three tenants over every REST route and every admin page: nothing foreign comes out anywhere.

Each run of the machine begins with the same rows (a savepoint is rolled back at its end), so that a failure
shrinks to the few steps it takes. ISOLATION_EXAMPLES and ISOLATION_STEPS lengthen the search.
"""

import logging
import os
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import redis
from django.db import transaction
from django.test import Client
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from alerting import backlog, configuration, rate_limit
from alerting.admin.registry import PAGES
from alerting.duties import drain_intake
from channels.languages import overrides
from channels.models import Channel
from tenants.context import tenant_context
from tests.security import corpus
from tests.security.parties import MARKERS, REFERRING, Oracle, Party, bodies, stranger

EXAMPLES = int(os.environ.get("ISOLATION_EXAMPLES", "10"))
STEPS = int(os.environ.get("ISOLATION_STEPS", "40"))
SAVES = frozenset({"post", "patch", "put"})
#: Each of these starts a process: once in a while is enough.
SLOW = frozenset({"/api/v1/templates/preview", "/api/v1/channels/{id}/test"})
QUERIES = (
    "limit=1",
    "q={word}",
    "matcher=team%3D{word}",
    "cursor={cursor}",
    "object_id={id}",
    "actor={word}",
    "channel={id}",
    "source={id}",
    "group={id}",
    "recipient={word}",
)
ADMIN_QUERIES = ("q={word}", "id__exact={id}", "pk={id}", "channel__id__exact={id}", "tenant__id__exact={tenant}")
AUTOCOMPLETES = (
    ("channels", "delivery", "channel"),
    ("alerting", "alert", "group"),
    ("channels", "channel", "template"),
)
PAGES_OF_A_ROW = ("change", "delete", "history")
MODELS = list(PAGES)
NOBODYS = "01a20959-0000-7000-8000-000000000000"
ROW = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")

people = st.sampled_from(["owner", "viewer", "key"])
numbers = st.integers(0, 2)


def operations() -> list[tuple[str, str]]:
    paths: dict[str, Any] = SchemaGenerator().get_schema(public=True)["paths"]
    return sorted((path, method) for path, item in paths.items() for method in item)


class Isolation(RuleBasedStateMachine):
    """What the tenants do; every answer is judged at once, what is stored at the end."""

    parties: ClassVar[list[Party]]
    nobody: ClassVar[Client]
    logs: ClassVar[pytest.LogCaptureFixture]
    valkey: ClassVar[redis.Redis]
    all_operations: ClassVar[list[tuple[str, str]]]
    served: ClassVar[set[str]]

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle(self.parties)
        self.number = 0
        self.savepoint = transaction.savepoint()
        self.ids = [{name: list(values) for name, values in party.ids.items()} for party in self.parties]
        self.cursors: dict[str, dict[str, str]] = {party.marker: {} for party in self.parties}

    @initialize()
    def begin(self) -> None:
        forget()
        self.logs.clear()

    @rule(data=st.data(), me=numbers, whose=numbers, who=people)
    def read(self, data: st.DataObject, me: int, whose: int, who: str) -> None:
        """Ask a route for rows, with ids, filters and cursors of one's own or somebody else's."""
        paths = [path for path, method in self.all_operations if method == "get"]
        for path in data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=6, unique=True)):
            query = "" if "{id}" in path else data.draw(st.sampled_from(["", *QUERIES]))
            self.call(me, whose, who, "get", path, self.fill(query, whose, path))

    @rule(data=st.data(), me=numbers, whose=numbers, aim=numbers, who=people)
    def write(self, data: st.DataObject, me: int, whose: int, aim: int, who: str) -> None:
        """Make, change or remove rows; addresses and bodies name rows of one's own or somebody else's."""
        changing = [one for one in self.all_operations if one[1] != "get" and one[0] not in SLOW]
        path, method = data.draw(st.sampled_from(changing))
        self.number += 1
        name = path.removeprefix("/api/v1/").rpartition("/{id}/")[2].removesuffix("/{id}")
        body = bodies(self.parties[me], self.parties[aim], self.number).get(name, {})
        answer = self.call(me, whose, who, method, path, body=body if method in SAVES else None)
        if me != aim and name in REFERRING and body:
            assert answer.status_code >= 400, f"{method} {path} took a foreign row: {body}"
        if answer.status_code == 201 and name in self.parties[me].ids:
            self.parties[me].learn(name, str(answer.json()["id"]))

    @rule(me=numbers, count=st.integers(1, 3))
    def send_and_drain(self, me: int, count: int) -> None:
        """Let alerts go through the pipeline, to groups, decisions and message snapshots."""
        party = self.parties[me]
        self.number += 1
        for one in range(count):
            body = bodies(party, party, self.number * 10 + one)["alerts"]
            answer = party.clients["key"].post("/api/v1/alerts", body, corpus.JSON)
            assert answer.status_code in {202, 429}, answer.content
        drain_intake(party.tenant_id)
        self.judge_logs(party, "")

    @rule(data=st.data(), me=numbers, whose=numbers, who=st.sampled_from(["owner", "viewer"]))
    def open_page(self, data: st.DataObject, me: int, whose: int, who: str) -> None:
        """Open a page of the admin: a list with a filter, or a row of one's own or somebody else's."""
        for model in data.draw(st.lists(st.sampled_from(MODELS), min_size=1, max_size=3, unique=True)):
            self.open_page_of(data, model, me, whose, who)

    def open_page_of(self, data: st.DataObject, model: Any, me: int, whose: int, who: str) -> None:
        page = data.draw(st.sampled_from(["changelist", "changelist", "add", *PAGES_OF_A_ROW]))
        rows = self.parties[whose].rows_of(model)
        if page not in PAGES_OF_A_ROW:
            query = data.draw(st.sampled_from(["", *ADMIN_QUERIES])) if page == "changelist" else ""
            self.admin(me, who, "get", admin_url(model, page), self.fill(query, whose, "", rows))
        elif rows:
            row = data.draw(st.sampled_from(rows))
            answer = self.admin(me, who, "get", admin_url(model, page, row))
            if me != whose:
                unknown = self.admin(me, who, "get", admin_url(model, page, NOBODYS))
                assert answer.status_code == unknown.status_code in {403, 404}, admin_url(model, page, row)

    @rule(data=st.data(), me=numbers, whose=numbers, who=st.sampled_from(["owner", "viewer"]))
    def open_shared_page(self, data: st.DataObject, me: int, whose: int, who: str) -> None:
        """Overview, search, explain and autocomplete, asked about somebody else's rows."""
        other = self.parties[whose]
        app, name, column = data.draw(st.sampled_from(AUTOCOMPLETES))
        field = f"app_label={app}&model_name={name}&field_name={column}"
        addresses = [
            (reverse("admin:index"), ""),
            (reverse("admin:dashboard_part"), ""),
            (reverse("admin:choose_tenant"), ""),
            (reverse("admin:search"), f"s={other.marker}"),
            (reverse("admin:explain"), f"alert={other.ids['alerts'][-1]}"),
            (reverse("admin:explain"), f"group={other.ids['groups'][-1]}"),
            (
                reverse("admin:autocomplete"),
                f"{field}&term={other.marker}",
            ),
            (reverse("admin:autocomplete"), f"{field}&term="),
        ]
        address, query = data.draw(st.sampled_from(addresses))
        self.admin(me, who, "get", address, query)

    @rule(data=st.data(), me=numbers, whose=numbers)
    def post_to_page(self, data: st.DataObject, me: int, whose: int) -> None:
        """Use a form, a bulk action or a button of the admin on somebody's row."""
        model = data.draw(st.sampled_from(MODELS))
        rows = self.parties[whose].rows_of(model)
        if not rows:
            return
        row = data.draw(st.sampled_from(rows))
        actions = ["acknowledge_selected", "resolve_selected", "replay_selected", "delete_selected", "export"]
        action = {"action": data.draw(st.sampled_from(actions)), "_selected_action": row}
        targets = [(admin_url(model, "changelist"), action), (admin_url(model, "change", row), {"name": "taken"})]
        address, form = data.draw(st.sampled_from(targets))
        answer = self.admin(me, "owner", "post", address, form=form)
        if me != whose and row in address:
            unknown = self.admin(me, "owner", "post", address.replace(row, NOBODYS), form=form)
            assert answer.status_code == unknown.status_code in {403, 404}, address

    @rule(data=st.data(), whose=numbers, signed_in=st.booleans())
    def come_as_a_stranger(self, data: st.DataObject, whose: int, signed_in: bool) -> None:
        """Ask as a member of nothing, or as nobody."""
        client = self.nobody if signed_in else Client(raise_request_exception=False)
        path, method = data.draw(st.sampled_from(self.all_operations))
        model = data.draw(st.sampled_from(MODELS))
        rows = self.parties[whose].rows_of(model)
        addresses = [self.address(path, whose), admin_url(model, "changelist")]
        addresses += [admin_url(model, "change", row) for row in rows[:1]]
        for address in addresses:
            answer = client.generic(method.upper() if "/api/" in address else "GET", address, b"{}", corpus.JSON)
            assert answer.status_code not in range(200, 300), address
            self.judge(answer, None, address)

    def call(self, me: int, whose: int, who: str, method: str, path: str, query: str = "", body: Any = None) -> Any:
        """Make one request to the API and judge its answer."""
        party, address = self.parties[me], self.address(path, whose)
        client = party.clients[who]
        url = f"{address}?{query}" if query else address
        options = {} if body is None else {"data": body, "content_type": corpus.JSON}
        answer = getattr(client, method)(url, **options)
        self.judge(answer, party, f"{url} {body}")
        if "{id}" in path and me != whose:
            # A foreign row is no other than one that never was; 403 is for what the caller may do to none.
            unknown = getattr(client, method)(path.replace("{id}", NOBODYS), **options)
            assert answer.status_code == unknown.status_code in {403, 404}, f"{method} {url}"
            assert who != "owner" or answer.status_code == 404, f"{method} {url}"
        if answer.status_code < 300:
            self.served.add(f"{method} {path}")
            self.remember_cursor(party, path, answer)
        return answer

    def admin(self, me: int, who: str, method: str, address: str, query: str = "", form: Any = None) -> Any:
        """Make one request to the admin and judge its answer."""
        party = self.parties[me]
        url = f"{address}?{query}" if query else address
        answer = getattr(party.clients[who], method)(url, **({"data": form} if form else {}))
        self.judge(answer, party, f"{url} {form or ''}")
        if answer.status_code < 300:
            self.served.add(f"{method} {ROW.sub('{id}', address)}")
        return answer

    def judge(self, answer: Any, party: Party | None, sent: str) -> None:
        """Nothing foreign in the answer, its headers, or what was logged meanwhile; no fault of ours either."""
        assert answer.status_code < 500, (sent, answer.content[:500])
        text = answer.content.decode(errors="replace") + str(dict(answer.headers))
        assert self.oracle.foreign_in(text, party, sent) == [], sent
        self.judge_logs(party, sent)

    def judge_logs(self, party: Party | None, sent: str) -> None:
        lines = [f"{record.getMessage()} {record.__dict__}" for record in self.logs.records]
        self.logs.clear()
        assert self.oracle.foreign_in("\n".join(lines), party, sent) == [], lines

    def address(self, path: str, whose: int) -> str:
        rows = self.parties[whose].ids.get(path.split("/")[3], [])
        return path.replace("{id}", rows[-1] if rows else NOBODYS)

    def fill(self, query: str, whose: int, path: str, rows: list[str] | None = None) -> str:
        """Put somebody's words, ids and cursor into a query."""
        other = self.parties[whose]
        row = (rows or other.ids["channels"])[-1]
        cursor = self.cursors[other.marker].get(path, "")
        return query.format(word=other.marker, id=row, tenant=other.tenant_id, cursor=cursor)

    def remember_cursor(self, party: Party, path: str, answer: Any) -> None:
        said = answer.json() if answer.content else None
        if isinstance(said, dict) and said.get("next"):
            self.cursors[party.marker][path] = str(said["next"]).partition("cursor=")[2].partition("&")[0]

    def teardown(self) -> None:
        try:
            assert self.oracle.foreign_in_rows() == {}
            assert self.oracle.mixed_in_redis(self.valkey) == []
        finally:
            transaction.savepoint_rollback(self.savepoint)
            for party, ids in zip(self.parties, self.ids, strict=True):
                party.ids = ids
            forget()


def admin_url(model: Any, page: str, row: str = "") -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=[row] if row else [])


def forget() -> None:
    """Let nothing in this process outlive the rows it was made of."""
    for module in (backlog, configuration, rate_limit, overrides):
        module.forget()


@pytest.mark.slow
def test_no_tenant_meets_another(
    db: None, caplog: pytest.LogCaptureFixture, valkey: redis.Redis, quick_passwords: None
) -> None:
    caplog.set_level(logging.DEBUG)
    Isolation.parties = [Party.make(marker) for marker in MARKERS]
    Isolation.nobody, Isolation.logs, Isolation.valkey = stranger(), caplog, valkey
    Isolation.all_operations, Isolation.served = operations(), set()
    options = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        # To shrink takes minutes: worth it to whoever looks for the cause.
        phases=[Phase.generate, Phase.shrink] if "ISOLATION_SHRINK" in os.environ else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Isolation, settings=options)
    # They came past the doors: most of what was asked for was there for somebody.
    assert len(Isolation.served) > 60, sorted(Isolation.served)


@pytest.fixture
def valkey() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    yield client
    client.close()


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    """Hash passwords quickly: there are six people."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def test_the_oracle_sees_words_ids_and_bytes_of_others(db: None, quick_passwords: None, valkey: redis.Redis) -> None:
    mine, theirs = (Party.make(marker) for marker in MARKERS[:2])
    oracle, row = Oracle([mine, theirs]), theirs.ids["channels"][0]
    assert oracle.foreign_in(f"{mine.marker} {mine.ids}", mine) == []
    assert oracle.foreign_in(f"<b>{theirs.marker.upper()}</b>", mine) == [theirs.marker]
    assert oracle.foreign_in(f"\\x{theirs.marker.encode().hex()}", mine) == [theirs.marker]
    assert oracle.foreign_in(f"no such row {row}", mine) == [row]
    assert oracle.foreign_in(f"no such row {row}", mine, sent=f"/channels/{row}") == []
    assert oracle.foreign_in(mine.marker, None) == [mine.marker]
    assert oracle.foreign_in_rows() == {}
    with tenant_context(mine.tenant_id):
        Channel.objects.update(name=f"copied from {theirs.marker}")
    assert oracle.foreign_in_rows() == {f"{mine.marker}: channel": [theirs.marker]}
    assert oracle.mixed_in_redis(valkey) == []
    valkey.set(f"answers:{mine.tenant_id}", theirs.marker)
    assert len(oracle.mixed_in_redis(valkey)) == 1
