"""The database of a test run is the one of production: a role that owns nothing, and commits only where asked for."""

import os
import subprocess
import sys

import pytest
from celery import current_app
from django.db import DatabaseError, connection, transaction


def test_tasks_are_published_by_our_application() -> None:
    assert current_app.main == "alerting"


@pytest.mark.django_db
def test_application_role_cannot_escape_row_level_security() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("alerting_app", False, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE escape (a int)",
        "TRUNCATE django_session",
        "ALTER TABLE django_session ADD a int",
    ],
)
def test_application_role_cannot_change_the_schema(statement: str) -> None:
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("_round", [1, 2])
def test_committed_rows_are_seen_by_other_processes_and_gone_afterwards(
    _round: int, committed_db: None, service_env: dict[str, str]
) -> None:
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    assert Session.objects.count() == 0
    Session.objects.create(session_key="seen", session_data="", expire_date=timezone.now())
    script = "import os, psycopg2; c = psycopg2.connect(os.environ['DATABASE_URL']).cursor();"
    script += "c.execute('SELECT session_key FROM django_session'); print(c.fetchall())"
    output = subprocess.run(
        [sys.executable, "-c", script],
        env=service_env,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert output.strip() == "[('seen',)]"


def test_services_of_a_test_get_the_database_of_its_worker(
    service_env: dict[str, str],
) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    assert service_env["DATABASE_URL"].endswith(f"/test_{worker}")
    assert connection.settings_dict["NAME"] == f"test_{worker}"
    assert service_env["ENVIRONMENT"] == "test"
