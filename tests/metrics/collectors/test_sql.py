"""A real PostgreSQL asked with a read-only role."""

import contextlib
import secrets
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

from channels.egress.policy import Policy
from channels.errors import InvalidSettings
from metrics.collectors.base import Point
from metrics.collectors.errors import CollectError, Trouble
from metrics.collectors.fetching import Fetcher
from metrics.collectors.registry import collector
from tests.conftest import COORDINATES
from tests.metrics.collectors.looking import look

ROLE, PASSWORD = "metric_reader", secrets.token_urlsafe(12)
DATABASE = "metric_source_tests"
SCHEMA = """
CREATE TABLE plays (country text, at timestamptz, plays bigint, skipped numeric, note text);
INSERT INTO plays VALUES ('AT', '2026-11-01 10:00+00', 120, 0.25, 'x'), ('FR', '2026-11-01 10:00+00', 300, NULL, NULL);
"""


@pytest.fixture(scope="module")
def place() -> Iterator[dict[str, Any]]:
    """A database with a table, and a role that may read it."""
    server = COORDINATES.postgres
    with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        cursor.execute(f"DROP ROLE IF EXISTS {ROLE}")
        cursor.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD %s", [PASSWORD])
        cursor.execute(f'CREATE DATABASE "{DATABASE}"')
    with contextlib.closing(psycopg2.connect(**_as_owner(server))) as connection:
        with connection.cursor() as cursor:
            cursor.execute(SCHEMA)
            cursor.execute(f"GRANT ALL ON plays TO {ROLE}")
        connection.commit()
    yield {"host": "127.0.0.1", "port": server.port, "database": DATABASE, "encryption": "disable"}
    with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{DATABASE}" WITH (FORCE)')
        cursor.execute(f"DROP ROLE {ROLE}")


def _as_owner(server: Any) -> dict[str, Any]:
    with contextlib.closing(server.connect()) as connection:
        return {**connection.get_dsn_parameters(), "dbname": DATABASE}


def ask(place: dict[str, Any], query: str, **more: Any) -> Any:
    return look("sql", {**place, "query": query, **more}, {"user": ROLE, "password": PASSWORD}, timeout=20)


def refused(place: dict[str, Any], query: str, **more: Any) -> CollectError:
    with pytest.raises(CollectError) as caught:
        ask(place, query, **more)
    return caught.value


def rows(place: dict[str, Any]) -> float:
    return float(ask(place, "SELECT count(*) AS n FROM plays").points[0].value)


def test_one_query_brings_many_series(place: dict[str, Any]) -> None:
    found = ask(place, "SELECT country, at, plays, skipped FROM plays ORDER BY country;", metric="streaming")
    assert found.points == [
        Point("streaming_plays", {"country": "AT"}, 120.0, 1793527200.0),
        Point("streaming_skipped", {"country": "AT"}, 0.25, 1793527200.0),
        Point("streaming_plays", {"country": "FR"}, 300.0, 1793527200.0),
    ]


def test_a_metric_column_names_the_series(place: dict[str, Any]) -> None:
    found = ask(place, "SELECT 'plays_of_' || lower(country) AS metric, plays FROM plays ORDER BY 1")
    assert [(point.metric, point.value) for point in found.points] == [("plays_of_at", 120.0), ("plays_of_fr", 300.0)]


def test_one_number_takes_the_name_it_is_given(place: dict[str, Any]) -> None:
    assert ask(place, "SELECT 5 AS anything", metric="depth").points == [Point("depth", {}, 5.0)]
    assert ask(place, "SELECT 5 AS anything").points == [Point("anything", {}, 5.0)]


def test_many_rows_come_in_parts(place: dict[str, Any]) -> None:
    found = ask(place, "SELECT n AS value, n::text AS id FROM generate_series(1, 5000) n")
    assert [point.value for point in found.points] == [float(n) for n in range(1, 5001)]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM plays",
        "WITH gone AS (DELETE FROM plays RETURNING 1) SELECT count(*) FROM gone",
        "SELECT 1; DELETE FROM plays",
        "SELECT 1; COMMIT; DELETE FROM plays; SELECT 1",
        "SELECT 1; SET TRANSACTION READ WRITE; DELETE FROM plays",
        "ROLLBACK",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT 1 FROM plays FOR UPDATE",
        "END'; DELETE FROM plays; --",
        "$$; DELETE FROM plays; $$",
        "SELECT nextval('nothing')",
        "COPY plays TO PROGRAM 'true'",
        "SELECT * FROM nowhere",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_a_query_can_do_nothing_but_read(place: dict[str, Any], query: str) -> None:
    assert refused(place, query).trouble in {Trouble.QUERY, Trouble.REFUSED}
    assert rows(place) == 2


def test_a_long_query_ends_at_its_time_limit(place: dict[str, Any]) -> None:
    started = time.monotonic()
    error = refused(place, "SELECT pg_sleep(60)::text, 1 AS n", statement_timeout=1)
    assert error.trouble is Trouble.TIMEOUT
    assert time.monotonic() - started < 20


def test_a_query_cannot_lift_its_time_limit(place: dict[str, Any]) -> None:
    query = """SELECT CASE WHEN n < 4001 THEN set_config('statement_timeout', '0', false) ELSE pg_sleep(60)::text END,
               n FROM generate_series(1, 4001) n"""
    assert refused(place, query, statement_timeout=1).trouble is Trouble.TIMEOUT


def test_what_nobody_waits_for_is_cancelled_at_the_server(place: dict[str, Any]) -> None:
    settings = {**place, "query": "SELECT pg_sleep(25)::text AS marker, 1 AS n", "statement_timeout": 30}
    with pytest.raises(TimeoutError):
        look("sql", settings, {"user": ROLE, "password": PASSWORD}, timeout=1)
    deadline = time.monotonic() + 15
    with contextlib.closing(COORDINATES.postgres.connect()) as connection, connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND state = 'active'", [ROLE])
            if cursor.fetchone() == (0,):
                return
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_role_of_power_is_refused(place: dict[str, Any]) -> None:
    with contextlib.closing(COORDINATES.postgres.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"GRANT pg_read_server_files TO {ROLE}")
        try:
            assert refused(place, "SELECT 1").trouble is Trouble.REFUSED
        finally:
            cursor.execute(f"REVOKE pg_read_server_files FROM {ROLE}")


def test_a_wrong_password_is_told_and_not_repeated(place: dict[str, Any]) -> None:
    with pytest.raises(CollectError) as caught:
        look("sql", {**place, "query": "SELECT 1"}, {"user": ROLE, "password": "wrong-one"})
    assert caught.value.trouble is Trouble.AUTH
    assert "wrong-one" not in caught.value.detail


@pytest.mark.parametrize("database", ["host=10.0.0.1 dbname=x", "postgresql://10.0.0.1/x"])
def test_a_database_name_cannot_name_another_host(place: dict[str, Any], database: str) -> None:
    assert refused({**place, "database": database}, "SELECT 1").trouble is Trouble.BLOCKED


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.5", "127.0.0.1", "localhost", "::1", "2130706433"])
def test_hosts_inside_are_refused(host: str) -> None:
    fetcher = Fetcher(Policy(extra_ports=frozenset({5432})))
    with pytest.raises((CollectError, InvalidSettings)) as caught:
        look(
            "sql",
            {"host": host, "database": "x", "query": "SELECT 1", "encryption": "require"},
            {"user": "u"},
            fetcher=fetcher,
        )
    assert isinstance(caught.value, InvalidSettings) or caught.value.trouble is Trouble.BLOCKED


def test_passwords_travel_encrypted_unless_the_operator_allows_otherwise(settings: Any) -> None:
    settings.EGRESS_ALLOW_HTTP = False
    wanted = {"host": "db.example.com", "database": "x", "query": "SELECT 1", "encryption": "disable"}
    with pytest.raises(InvalidSettings) as caught:
        collector("sql").settings_from(wanted)
    assert "encryption" in caught.value.errors


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("SELECT country FROM plays", "No column of the query holds numbers."),
        ("SELECT at, country FROM plays", "No column of the query holds numbers."),
        ("SELECT 1", "Give the column ?column? a name of letters: AS name."),
        ("SELECT plays FROM plays", None),
    ],
)
def test_what_keeps_rows_from_being_values_is_told_to_who_tries(
    place: dict[str, Any], query: str, hint: str | None
) -> None:
    assert ask(place, query).hints == ([hint] if hint else [])
