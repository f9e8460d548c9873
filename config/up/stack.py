"""The programs of the service on one machine: what each is called with and what it stands on."""

import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded.account import Account
from config.embedded.postgres import PostgresServer
from config.embedded.valkey import ValkeyServer
from config.up import keys
from config.up.layout import Layout
from config.up.left_overs import MARK
from config.up.ports import Ports
from config.up.programs import Program

DATABASE = "alerting"
QUEUES = "intake,maintenance"
SENDERS = 16
# True in development, and no news there: no static files are collected, and root may run everything.
EXPECTED_WARNINGS = "ignore:No directory at,ignore:You're running the worker"


@dataclass
class Stack:
    """Everything that runs for one checkout; an address given in the environment takes the place of a server."""

    layout: Layout
    ports: Ports
    run_id: str
    secrets: dict[str, str] = field(init=False)
    postgres: PostgresServer | None = None
    valkey: ValkeyServer | None = None

    def __post_init__(self) -> None:
        self.secrets = keys.load(self.layout.secrets)
        if not os.environ.get("DATABASE_URL"):
            account = Account.for_postgres()
            self.postgres = PostgresServer(self.layout.postgres_folder(account), self.ports.postgres, account=account)
        if not os.environ.get("REDIS_URL"):
            self.valkey = ValkeyServer(self.layout.var / "valkey", self.ports.valkey)

    @property
    def url(self) -> str:
        """Where the web server answers."""
        return f"http://127.0.0.1:{self.ports.web}"

    @property
    def inbox_url(self) -> str:
        """Where the inbox answers."""
        return f"http://127.0.0.1:{self.ports.inbox}"

    @property
    def used_ports(self) -> list[int]:
        """The ports of the programs that this run starts."""
        ports = [self.ports.web, self.ports.inbox, self.ports.smtp]
        return ports + [server.port for server in (self.postgres, self.valkey) if server]

    def env(self) -> dict[str, str]:
        """Return the environment of the service's processes; what the caller has set wins."""
        settings = {
            "ENVIRONMENT": "development",
            "PUBLIC_BASE_URL": self.url,
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "LOG_FORMAT": "console",
            "PROMETHEUS_MULTIPROC_DIR": str(self.layout.counters),
            "EGRESS_ALLOW_LOOPBACK": "1",
            "EGRESS_LOOPBACK_PORTS": f"{self.ports.inbox},{self.ports.smtp}",
            "SLACK_API_BASE_URL": f"{self.inbox_url}/slack/api/",
            "TWILIO_API_BASE_URL": f"{self.inbox_url}/twilio",
            "PAGERDUTY_EVENTS_BASE_URL": f"{self.inbox_url}/pagerduty",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            # CI checks the settings; at every start they would only cost each worker a second.
            "CELERY_SKIP_CHECKS": "1",
            **{name: self.secrets[name] for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEY", "API_KEY_PEPPER")},
        }
        given = {name: value for name, value in os.environ.items() if value or name not in settings}
        fixed = {
            "PORT": str(self.ports.web),
            "INBOX_URL": self.inbox_url,
            "INBOX_PORT": str(self.ports.inbox),
            "INBOX_SMTP_PORT": str(self.ports.smtp),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": EXPECTED_WARNINGS,
            MARK: self.run_id,
        }
        if self.postgres:
            fixed["DATABASE_URL"] = self._address(self.postgres, "alerting_app", "POSTGRES_APP_PASSWORD")
        if self.valkey:
            fixed["REDIS_URL"] = self.valkey.address()
        # Only migrations act as the owner of the tables.
        given.pop("MIGRATION_DATABASE_URL", None)
        return settings | given | fixed

    def migration_env(self) -> dict[str, str]:
        """Return the environment of the migration step, which alone may act as the owner."""
        owner = os.environ.get("MIGRATION_DATABASE_URL", "")
        if self.postgres:
            owner = self._address(self.postgres, "alerting_owner", "POSTGRES_OWNER_PASSWORD")
        return self.env() | ({"MIGRATION_DATABASE_URL": owner} if owner else {})

    def servers(self) -> list[Program]:
        """Return the embedded servers as programs."""
        found = []
        env = {**os.environ, MARK: self.run_id}
        if self.postgres:
            # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client.
            found.append(self._server("postgres", self.postgres, env, signal.SIGINT))
        if self.valkey:
            found.append(self._server("valkey", self.valkey, env, signal.SIGTERM))
        return found

    def services(self, webhook_secret: str = "") -> list[Program]:
        """Return the service's own processes and the inbox."""
        celery = [*_tool("celery"), "--quiet", "-A", "config"]
        worker = ["worker", "-Q", QUEUES, "--loglevel", "INFO", "--concurrency", "2"]
        # Sending waits for providers, so it has threads of its own and never keeps a drain waiting.
        notifier = ["worker", "-Q", "notify", "-n", "notifier@%h", "--loglevel", "INFO"]
        notifier += ["--pool", "threads", "--concurrency", str(SENDERS)]
        # Judging metrics and learning from them take seconds at a time, which no alert waits for.
        analyst = ["worker", "-Q", "metrics", "-n", "analyst@%h", "--loglevel", "INFO", "--concurrency", "1"]
        beat = ["beat", "--loglevel", "WARNING", "--pidfile=", "-s", str(self.layout.var / "beat-schedule")]
        commands = {
            "web": web_command(self.ports.web),
            "relay": manage("relay", "--skip-checks"),
            "worker": [*celery, *worker, "--without-gossip", "--without-mingle"],
            "notifier": [*celery, *notifier, "--without-gossip", "--without-mingle"],
            "analyst": [*celery, *analyst, "--without-gossip", "--without-mingle"],
            "beat": [*celery, *beat],
            "inbox": [sys.executable, "-m", "config.inbox"],
        }
        env = self.env() | {"INBOX_WEBHOOK_SECRETS": webhook_secret}
        texts = {"worker": " ready."}
        return [
            Program(name, command, env, self.layout.root, ready_text=texts.get(name, ""))
            for name, command in commands.items()
        ]

    def _server(
        self, name: str, server: PostgresServer | ValkeyServer, env: dict[str, str], stop_signal: int
    ) -> Program:
        return Program(
            name,
            server.command,
            env,
            server.folder,
            before=server.prepare,
            popen=server.popen,
            stop_signal=stop_signal,
            tier=0,
        )

    def _address(self, postgres: PostgresServer, role: str, secret: str) -> str:
        return postgres.address(role, self.secrets[secret], DATABASE)


def manage(*arguments: str) -> list[str]:
    """Return the command line of one of Django's commands."""
    return [sys.executable, "manage.py", *arguments]


def web_command(port: int, host: str = "127.0.0.1", workers: int = 2) -> list[str]:
    """Return the command line of the web server.

    Four threads a worker: Python runs one at a time, but a request mostly waits for the disk of its commit
    (4 ms here), and commits that wait together are written together. With one thread a worker 400 single alerts
    a second were the end, with four 800 were held. Backpressure bounds what a worker holds.
    """
    options = ["--interface", "wsgi", "--host", host, "--port", str(port), "--workers", str(workers)]
    options += ["--blocking-threads", "4", "--backlog", "1024", "--backpressure", "128"]
    options += ["--respawn-failed-workers", "--workers-kill-timeout", "10", "--log-level", "warning", "--no-ws"]
    return [*_tool("granian"), *options, "config.wsgi:application"]


def _tool(name: str) -> list[str]:
    return [str(Path(sys.executable).with_name(name))]
