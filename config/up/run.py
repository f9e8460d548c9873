"""Bring the service up on one machine, step by step, and keep it up."""

import http.client
import json
import subprocess
import sys
import threading
import time

from config.embedded.errors import OperatorError
from config.up import facts
from config.up.layout import Layout, Stamp, digest_of, schema_files, source_files
from config.up.left_overs import Run
from config.up.output import Output
from config.up.ports import Ports, check_free
from config.up.stack import DATABASE, Stack, manage
from config.up.supervisor import Supervisor

LONGEST_START = 90.0
SERVERS = 30.0
DEMO_KEYS = {"admin_user", "admin_password", "api_key", "tenant"}


class Up:
    """One run of `make up`, from the first check to the last process stopped."""

    def __init__(self, layout: Layout, ports: Ports, run: Run, output: Output) -> None:
        self.started = time.monotonic()
        self.output = output
        self.stack = Stack(layout, ports, run.id)
        self.demo: dict[str, str] = {}
        self.is_ready = False
        self.run = run
        self.supervisor = Supervisor(output, self.on_change)

    def go(self) -> None:
        """Start everything, tell where it is, and look after it until somebody asks for the end."""
        self.supervisor.listen_to_signals()
        self.stack.layout.clear()
        if self.stack.postgres:
            self.stack.postgres.prepare()
            self.explain_folder()
        for port in self.stack.used_ports:
            check_free(port)
        try:
            for step in (self.start_servers, self.migrate, self.seed, self.start_services, self.wait_until_ready):
                if not self.supervisor.is_stopping:
                    step()
            self.supervisor.run_until_stopped()
        finally:
            self.output.plain("Stopping ...")
            self.supervisor.stop_all()
            self.stack.layout.facts.unlink(missing_ok=True)
            self.stack.layout.forget_counters()

    def explain_folder(self) -> None:
        """Say where the database lies when it could not be put below the checkout."""
        if self.stack.layout.elsewhere.exists() and self.stack.postgres:
            self.output.plain(
                "PostgreSQL runs as `nobody`, who cannot enter this checkout's folder;"
                f" its data lies in {self.stack.postgres.folder}."
            )

    def start_servers(self) -> None:
        """Start the embedded servers and give the database its roles."""
        self.supervisor.start(self.stack.servers())
        if self.stack.postgres:
            self.stack.postgres.wait_ready(self.supervisor.process("postgres"), timeout=SERVERS)
            secrets = self.stack.secrets
            self.stack.postgres.provision(
                DATABASE,
                owner_password=secrets["POSTGRES_OWNER_PASSWORD"],
                app_password=secrets["POSTGRES_APP_PASSWORD"],
            )
        if self.stack.valkey:
            self.stack.valkey.wait_ready(self.supervisor.process("valkey"))

    def migrate(self) -> None:
        """Bring the schema up to date, as the owner of the tables; skipped when nothing changed since the last run."""
        stamp = None
        if self.stack.postgres:
            # Kept beside the data, so that it goes with them.
            digest = digest_of(schema_files(self.stack.layout.root))
            stamp = Stamp(self.stack.postgres.folder / "schema.stamp", digest)
            if stamp.is_current():
                return
        env = self.stack.migration_env()
        alias = ["--database", "owner"] if "MIGRATION_DATABASE_URL" in env else []
        is_done = self.command("migrate", manage("migrate", "--no-input", "--skip-checks", *alias), env)
        if stamp and is_done:
            stamp.keep()

    def seed(self) -> None:
        """Make the demo tenant; skipped when it is there and nothing it is made from changed."""
        layout = self.stack.layout
        digest = digest_of(source_files(layout.root), str(self.stack.ports), self.stack.env()["DATABASE_URL"])
        place = self.stack.postgres.folder if self.stack.postgres else layout.var
        stamp = Stamp(place / "seed.stamp", digest)
        if not (stamp.is_current() and layout.demo.exists()):
            if not self.make_demo():
                return
            stamp.keep()
        self.demo = json.loads(layout.demo.read_text(encoding="utf-8"))
        if missing := DEMO_KEYS - self.demo.keys():
            raise OperatorError(
                f"The demo tenant was made without {', '.join(sorted(missing))}; run `make clean-data`."
            )

    def make_demo(self) -> bool:
        """Make the demo tenant and what it measured; tell whether it came to its end."""
        demo, env = self.stack.layout.demo, self.stack.env()
        if not self.command("seed", manage("seed_demo", "--skip-checks", "--out", str(demo)), env):
            return False
        demo.chmod(0o600)
        if env.get("SIMULATE_METRICS", "1") == "0":
            return True
        return self.command("seed", manage("seed_metrics", "--skip-checks"), env)

    def start_services(self) -> None:
        """Start the service's own processes."""
        self.supervisor.start(self.stack.services(self.demo.get("webhook_secret", "")))

    def wait_until_ready(self) -> None:
        """Wait until web and inbox answer, then tell people and scripts where everything is."""
        addresses = {"web": (self.stack.ports.web, "/health/ready"), "inbox": (self.stack.ports.inbox, "/healthz")}
        deadline = time.monotonic() + LONGEST_START
        while not self.supervisor.is_stopping:
            silent = {name: why for name, (port, path) in addresses.items() if (why := missing(port, path))}
            waiting = self.supervisor.not_ready() | silent
            if not waiting:
                break
            if time.monotonic() > deadline:
                reasons = " and ".join(f"{name} ({why})" for name, why in waiting.items())
                raise OperatorError(f"Not healthy after {LONGEST_START:.0f} s: {reasons}; the lines above say more.")
            self.supervisor.tick(0.2)
        else:
            return
        self.is_ready = True
        self.on_change()
        self.output.plain(facts.banner(self.stack, self.demo, time.monotonic() - self.started))

    def on_change(self) -> None:
        """Keep the record of what runs, and from the moment the service is ready var/up.json."""
        self.run.keep(self.supervisor.pids().values())
        if self.is_ready:
            facts.write(self.stack, self.demo, self.supervisor.pids())

    def command(self, name: str, command: list[str], env: dict[str, str]) -> bool:
        """Run one step with its lines on the terminal; say False when somebody asked for the end before its own.

        Raises OperatorError when it fails.
        """
        process = subprocess.Popen(
            command,
            env=env,
            cwd=self.stack.layout.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        reader = threading.Thread(target=self._copy, args=(name, process), daemon=True)
        reader.start()
        while process.poll() is None:
            self.supervisor.tick(0.05)
            if self.supervisor.is_stopping:
                process.terminate()
                process.wait()
        reader.join(timeout=2)
        if process.returncode and not self.supervisor.is_stopping:
            raise OperatorError(f"The step `{name}` failed with code {process.returncode}; the lines above say why.")
        return process.returncode == 0

    def _copy(self, name: str, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self.output.line(name, line.rstrip())


def missing(port: int, path: str) -> str:
    """Return what keeps a server of loopback from answering 200 to a GET; empty when it does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return "" if answer.status == 200 else answer.read(200).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException):
        return "no answer"
    finally:
        connection.close()


def main(layout: Layout | None = None) -> int:
    """Run until stopped; what a person can mend is told in one sentence."""
    layout = layout or Layout()
    output = Output()
    try:
        ports = Ports.from_environment()
        layout.prepare()
        run = Run.begin(layout.var, ports.web)
        Up(layout, ports, run, output).go()
        run.end()
    except OperatorError as fault:
        print(fault, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"The service cannot run here: {error.strerror or error} ({error.filename or 'no file'}).", file=sys.stderr
        )
        return 1
    return 0
