"""Run provision.sql, the one description of roles and rights, without psql."""

from pathlib import Path

from psycopg2 import extensions

SCRIPT = Path(__file__).with_name("provision.sql")


def provision(
    connection: extensions.connection,
    *,
    owner_password: str,
    app_password: str,
    is_test: bool = False,
) -> None:
    """Give the connected database its roles and rights; the connection is a superuser's."""
    values = {
        "owner_password": owner_password,
        "app_password": app_password,
        "is_test": "on" if is_test else "off",
    }
    with connection.cursor() as cursor:
        script = SCRIPT.read_text(encoding="utf-8")
        for name, value in values.items():
            quoted = cursor.mogrify("%s", [value]).decode()
            script = script.replace(f":'{name}'", quoted)
        cursor.execute(script)
