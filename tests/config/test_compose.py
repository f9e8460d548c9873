"""The production shape: docker-compose.yml, the image and what runs in it, checked without a Docker engine."""

import contextlib
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import psycopg2
import pytest
import yaml
from django.core.management import get_commands

from config.embedded.postgres import PostgresServer
from config.embedded.provisioning import SCRIPT
from config.up.layout import ROOT
from tests.servers import free_port, public_temporary_folder

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OWN = ["web", "relay", "worker", "notifier", "analyst", "beat", "migrate"]
RUNNING = [name for name in SERVICES if name != "migrate"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()


def test_file_keeps_to_the_specification() -> None:
    schema = json.loads(Path(__file__).with_name("compose.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


def test_every_part_is_there_and_the_relay_twice() -> None:
    assert set(SERVICES) == {"web", "relay", "worker", "notifier", "analyst", "beat", "migrate", "db", "redis"}
    assert SERVICES["relay"]["deploy"] == {"replicas": 2}


@pytest.mark.parametrize("name", OWN)
def test_own_processes_have_no_rights_beyond_their_own(name: str) -> None:
    service = SERVICES[name]
    uid = int(service["user"].split(":")[0])
    assert uid > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["stop_grace_period"] == "45s"
    assert f"--uid {uid} " in DOCKERFILE


def test_processes_of_web_count_together_where_they_may_write() -> None:
    web = SERVICES["web"]
    folder = web["environment"]["PROMETHEUS_MULTIPROC_DIR"]
    assert folder in {mount.split(":")[0] for mount in web["tmpfs"]}
    assert web["environment"].items() >= SERVICES["relay"]["environment"].items()


@pytest.mark.parametrize("name", RUNNING)
def test_what_keeps_running_is_watched(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert SERVICES[name]["restart"] == "unless-stopped"


def command_of(name: str) -> list[str]:
    if "command" in SERVICES[name]:
        return list(SERVICES[name]["command"])
    (default,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    return list(json.loads(default))


@pytest.mark.parametrize("name", OWN)
def test_command_can_be_run(name: str) -> None:
    program, *arguments = command_of(name)
    assert shutil.which(program, path=Path(sys.executable).parent)
    if arguments[0] == "manage.py":
        assert arguments[1] in get_commands()


@pytest.mark.parametrize("name", ["relay", "worker", "beat"])
def test_health_script_is_in_the_image(name: str) -> None:
    script = SERVICES[name]["healthcheck"]["test"][2]
    assert (ROOT / script).is_file()
    assert "\nCOPY . .\n" in DOCKERFILE


def test_image_holds_no_secrets_data_or_tests() -> None:
    left_out = set((ROOT / ".dockerignore").read_text().split())
    assert {".git", ".venv", "var", "tests", "deploy/secrets", ".env*"} <= left_out
    assert "deploy" not in left_out


def test_only_the_migration_step_may_act_as_the_owner() -> None:
    assert [name for name in SERVICES if "migration_database_url" in SERVICES[name].get("secrets", [])] == ["migrate"]
    for name in OWN:
        assert set(SERVICES[name]["secrets"]) <= set(COMPOSE["secrets"])
        named = {
            value.rsplit("/", 1)[1] for key, value in SERVICES[name]["environment"].items() if key.endswith("_FILE")
        }
        assert named == set(SERVICES[name]["secrets"])


def test_secrets_are_made_once_and_kept_out_of_git(tmp_path: Path) -> None:
    shutil.copy(ROOT / "deploy" / "make-secrets.sh", tmp_path)
    made = []
    for _ in range(2):
        subprocess.run(["sh", str(tmp_path / "make-secrets.sh")], check=True, capture_output=True)
        made.append({file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()})
    assert made[0] == made[1]
    assert made[0].keys() == COMPOSE["secrets"].keys()
    assert made[0]["app_password"] in made[0]["database_url"]
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    ignored = subprocess.run(["git", "check-ignore", "-q", "deploy/secrets/secret_key"], cwd=ROOT, check=False)
    assert ignored.returncode == 0


@pytest.fixture
def empty_server() -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="alerting-init-", dir=public_temporary_folder()))
    folder.chmod(0o755)
    server = PostgresServer(folder / "postgres", free_port(), durable=False)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


def test_database_is_provisioned_by_psql_as_by_the_runner(empty_server: PostgresServer, tmp_path: Path) -> None:
    for name in ("owner_password", "app_password"):
        (tmp_path / name).write_text(f"it's {name}")
    script = (ROOT / "deploy" / "init-database.sh").read_text()
    script = script.replace("/run/secrets", str(tmp_path)).replace("/provision.sql", str(SCRIPT))
    env = {
        "PATH": f"{empty_server.binaries}:{os.environ['PATH']}",
        "PGHOST": str(empty_server.sockets),
        "PGPORT": str(empty_server.port),
        "POSTGRES_USER": "postgres",
        "POSTGRES_DB": "alerting",
    }
    with contextlib.closing(empty_server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE alerting")
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    address = empty_server.address("alerting_owner", "it's owner_password", "alerting")
    with contextlib.closing(psycopg2.connect(address)) as owner, owner.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (a int)")
        owner.commit()
    address = empty_server.address("alerting_app", "it's app_password", "alerting")
    with contextlib.closing(psycopg2.connect(address)) as application, application.cursor() as cursor:
        cursor.execute("INSERT INTO kept VALUES (1)")
        cursor.execute("SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = 'alerting_owner'")
        assert cursor.fetchone() == (False, False, False)


def health(component: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "deploy" / "healthcheck.py"), component]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("component", "instance", "age_s", "code"),
    [
        ("relay", f"{socket.gethostname()}:17", 0, 0),
        ("relay", f"{socket.gethostname()}:17", 90, 1),
        ("relay", "another-host:17", 0, 1),
        ("worker", f"{socket.gethostname()}:17", 0, 1),
    ],
)
def test_relay_is_healthy_only_while_it_works(
    committed_db: None, service_env: dict[str, str], component: str, instance: str, age_s: int, code: int
) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO heartbeat (component, instance, at) VALUES (%s, %s, now() - %s * interval '1 second')",
            [component, instance, age_s],
        )
    assert health("relay", service_env).returncode == code


def test_part_without_a_database_is_unhealthy_in_one_sentence(service_env: dict[str, str]) -> None:
    result = health("relay", service_env | {"DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/none"})
    assert result.returncode == 1
    assert result.stderr.startswith("The database does not answer: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("age_s", "code"), [(10, 0), (900, 1)])
def test_beat_is_healthy_while_it_writes_its_schedule(
    tmp_path: Path, service_env: dict[str, str], age_s: int, code: int
) -> None:
    (tmp_path / "beat-schedule.db").touch()
    written = time.time() - age_s
    os.utime(tmp_path / "beat-schedule.db", (written, written))
    assert health("beat", service_env | {"BEAT_SCHEDULE": str(tmp_path / "beat-schedule")}).returncode == code
