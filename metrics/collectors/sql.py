"""Asks a PostgreSQL with a read-only role: one query, many series."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal

import psycopg2
from django.conf import settings as service
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg2 import errors, sql
from psycopg2.extensions import connection as Connection  # noqa: N812

from channels.egress import Blocked, Checked
from channels.egress.urls import check_host
from metrics.collectors.base import (
    LABEL_NAME,
    MAX_POINTS,
    METRIC_NAME,
    Collector,
    Found,
    Look,
    Point,
    SourceCredentials,
    SourceSettings,
)
from metrics.collectors.errors import CollectError, Trouble
from metrics.collectors.times import unix_seconds

MAX_QUERY = 20_000
MAX_COLUMNS = 40
ROWS_A_FETCH = 2_000
CONNECT_SECONDS = 5
LONGEST_STATEMENT = 30
TIME_COLUMNS = ("time", "at", "timestamp")
NAME_COLUMN = "metric"
CURSOR: Final = "metric_source"
# PostgreSQL's object ids of the types that count as numbers: int8, int2, int4, float4, float8, numeric, bool.
NUMBERS = frozenset({20, 21, 23, 700, 701, 1700, 16})

# What a role must not be: each of these reads or writes files of the server or runs programs on it, also in a
# transaction that is read-only.
POWERS = """
SELECT rolsuper OR rolreplication
    OR pg_has_role(current_user, 'pg_execute_server_program', 'MEMBER')
    OR pg_has_role(current_user, 'pg_read_server_files', 'MEMBER')
    OR pg_has_role(current_user, 'pg_write_server_files', 'MEMBER')
FROM pg_roles WHERE rolname = current_user
"""


class SqlSettings(SourceSettings, frozen=True, kw_only=True):
    """`query` is one SELECT.

    A column named time, at or timestamp says when, text columns are labels, numeric columns are values. A value is
    kept as `metric` where there is one numeric column, else as `metric` and the column's name; a text column named
    metric names it instead.
    """

    host: str
    port: int = 5432
    database: str
    query: str
    metric: str = ""
    statement_timeout: int = 10
    encryption: Literal["verify-full", "require", "disable"] = "verify-full"

    def problems(self) -> dict[str, str]:
        found: dict[str, str] = {}
        try:
            check_host(self.host)
        except Blocked as error:
            found["host"] = error.detail
        if not 0 < self.port < 65536:
            found["port"] = _("Give from %(low)d to %(high)d.") % {"low": 1, "high": 65_535}
        if not 1 <= len(self.query.strip()) <= MAX_QUERY:
            found["query"] = _("A query is empty or too long.")
        if self.metric and not METRIC_NAME.fullmatch(self.metric):
            found["metric"] = _("%(name)s is not a name for a metric.") % {"name": self.metric[:80]}
        if not 1 <= self.statement_timeout <= LONGEST_STATEMENT:
            found["statement_timeout"] = _("Give from %(low)d to %(high)d.") % {"low": 1, "high": LONGEST_STATEMENT}
        if self.encryption == "disable" and not service.EGRESS_ALLOW_HTTP:
            found["encryption"] = _("Here passwords only travel encrypted.")
        return found


class SqlCredentials(SourceCredentials, frozen=True, kw_only=True):
    """A role that may read what the query reads, and nothing else."""

    user: str
    password: str = ""


@dataclass
class _Work:
    """What the thread that asks shares with the loop that waits: the connection, to cancel it by."""

    connection: Connection | None = None
    is_given_up: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, connection: Connection) -> None:
        with self.lock:
            self.connection = connection
            if self.is_given_up:
                raise CollectError(Trouble.TIMEOUT, _("No answer came in time."))

    def give_up(self) -> None:
        """Have the server stop what nobody waits for."""
        with self.lock:
            self.is_given_up = True
            if self.connection is not None and not self.connection.closed:
                with contextlib.suppress(psycopg2.Error):
                    self.connection.cancel()


class SqlCollector(Collector[SqlSettings, SqlCredentials]):
    """PostgreSQL, in a transaction that is read-only and through a cursor, which takes one statement alone."""

    kind: ClassVar[str] = "sql"
    label = gettext_lazy("SQL (PostgreSQL)")
    Settings = SqlSettings
    Credentials = SqlCredentials

    def place(self, settings: SqlSettings) -> str:
        return f"postgresql://{settings.host.lower()}:{settings.port}"

    async def collect(self, look: Look[SqlSettings, SqlCredentials]) -> Found:
        checked = await look.fetcher.resolve(look.settings.host, look.settings.port)
        work = _Work()
        try:
            return await asyncio.to_thread(_ask, work, checked, look)
        except asyncio.CancelledError:
            await asyncio.to_thread(work.give_up)
            raise


def _ask(work: _Work, checked: Checked, look: Look[SqlSettings, SqlCredentials]) -> Found:
    try:
        with contextlib.closing(_connect(checked, look)) as connection:
            work.hold(connection)
            return _read(connection, look.settings)
    except psycopg2.Error as error:
        raise _told(error) from None


def _connect(checked: Checked, look: Look[SqlSettings, SqlCredentials]) -> Connection:
    settings, credentials = look.settings, look.credentials
    options = "-c default_transaction_read_only=on -c idle_in_transaction_session_timeout=15s -c lock_timeout=2s"
    connection: Connection = psycopg2.connect(
        # The name is for the certificate; what is connected to are the checked addresses.
        host=",".join([checked.host] * len(checked.addresses)),
        hostaddr=",".join(checked.addresses),
        port=",".join([str(checked.port)] * len(checked.addresses)),
        dbname=_plain_name(settings.database),
        user=credentials.user,
        password=credentials.password,
        # Nothing of this process' own account may stand in for what the tenant left out.
        passfile="/dev/null",
        sslcert="/dev/null/none",
        sslkey="/dev/null/none",
        sslmode=settings.encryption,
        sslrootcert="system" if settings.encryption == "verify-full" else "/dev/null/none",
        gssencmode="disable",
        connect_timeout=CONNECT_SECONDS,
        application_name="alerting-metrics",
        options=f"{options} -c statement_timeout={settings.statement_timeout * 1000}",
        client_encoding="UTF8",
    )
    return connection


def _plain_name(database: str) -> str:
    """Refuse what libpq would read as a whole connection string, with another host in it."""
    if "=" in database or "://" in database:
        raise CollectError(Trouble.BLOCKED, _("This is not a name of a database."))
    return database


def _read(connection: Connection, settings: SqlSettings) -> Found:
    connection.set_session(readonly=True)
    with connection.cursor() as cursor:
        cursor.execute(POWERS)
        if cursor.fetchone() != (False,):
            raise CollectError(Trouble.REFUSED, _("This role may do too much; give one that can only read."))
        # PL/pgSQL opens a cursor for exactly one query that returns rows, so no second statement slips in.
        opening = sql.SQL("DECLARE found refcursor := {}; BEGIN OPEN found FOR EXECUTE {}; END").format(
            sql.Literal(CURSOR), sql.Literal(settings.query.strip().rstrip(";"))
        )
        cursor.execute(sql.SQL("DO {}").format(sql.Literal(opening.as_string(connection))))
        found, shape = Found(), list[tuple[str, int]]()
        for row, columns in _rows(cursor, settings.statement_timeout):
            shape = columns
            found.points += _points(settings, columns, row)
            if len(found.points) > MAX_POINTS:
                found.points = found.points[:MAX_POINTS]
                found.notes.append(_("Only the first %(count)d values were taken.") % {"count": MAX_POINTS})
                break
    connection.rollback()
    if not found.points:
        found.notes.append(_("The query found no values."))
    found.hints += _slips(shape)
    return found


def _rows(cursor: Any, seconds: int) -> Iterator[tuple[Sequence[Any], list[tuple[str, int]]]]:
    while True:
        # Said anew each time: a query could have changed it with set_config.
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds}s"])
        cursor.execute(sql.SQL("FETCH {} FROM {}").format(sql.Literal(ROWS_A_FETCH), sql.Identifier(CURSOR)))
        columns = [(column.name, column.type_code) for column in cursor.description or ()]
        if not 1 <= len(columns) <= MAX_COLUMNS:
            raise CollectError(Trouble.QUERY, _("The query has no columns or too many."))
        rows = cursor.fetchall()
        for row in rows:
            yield row, columns
        if len(rows) < ROWS_A_FETCH:
            return


def _slips(columns: list[tuple[str, int]]) -> list[str]:
    """Say what keeps the rows of a query from being values."""
    numbers = [column for column, type_code in columns if type_code in NUMBERS and column.lower() not in TIME_COLUMNS]
    if columns and not numbers:
        return [_("No column of the query holds numbers.")]
    nameless = [column for column in numbers if not METRIC_NAME.fullmatch(column)]
    return [_("Give the column %(name)s a name of letters: AS name.") % {"name": nameless[0]}] if nameless else []


def _points(settings: SqlSettings, columns: list[tuple[str, int]], row: Sequence[Any]) -> list[Point]:
    """Return the values of one row."""
    labels, numbers, at, name = {}, {}, None, settings.metric
    for (column, type_code), value in zip(columns, row, strict=True):
        if column.lower() in TIME_COLUMNS:
            at = unix_seconds(float(value) if isinstance(value, Decimal) else value)
            if at is None:
                return []
        elif type_code in NUMBERS:
            numbers[column] = value
        elif column.lower() == NAME_COLUMN:
            name = str(value)
        elif value is not None and LABEL_NAME.fullmatch(column):
            labels[column] = str(value)
    made = []
    for column, value in numbers.items():
        if value is None or not math.isfinite(value):
            continue
        is_named_by_column = len(numbers) > 1 or not name
        metric = "_".join(part for part in (name, column) if part) if is_named_by_column else name
        made.append(Point(metric, labels, float(value), at))
    return made


def _told(error: psycopg2.Error) -> CollectError:
    """Say what the server said about the query, and little about why there is no connection."""
    if isinstance(error, errors.QueryCanceled):
        return CollectError(Trouble.TIMEOUT, _("The query took longer than it may."))
    if isinstance(error, errors.ReadOnlySqlTransaction | errors.InsufficientPrivilege):
        return CollectError(Trouble.REFUSED, _("The query may only read: %(why)s") % {"why": _first_line(error)})
    if error.pgcode:
        return CollectError(Trouble.QUERY, _("PostgreSQL says: %(why)s") % {"why": _first_line(error)})
    text = str(error).lower()
    if "authentication failed" in text or "no password" in text:
        return CollectError(Trouble.AUTH, _("The database refuses the user or the password."))
    if "ssl" in text or "certificate" in text:
        return CollectError(Trouble.NETWORK, _("The encrypted connection could not be made."))
    return CollectError(Trouble.NETWORK, _("The connection failed."))


def _first_line(error: psycopg2.Error) -> str:
    return str(error).strip().partition("\n")[0][:200]
