"""A database and a Valkey of a benchmark's own, migrated, with Django set up in this process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import django


@contextmanager
def own_database() -> Iterator[None]:
    """Start them, let this process work on them, and stop them."""
    from tests import servers

    run = servers.RunServers()
    try:
        os.environ.update(run.coordinates.environment("main"))
        django.setup()
        from tests.conftest import migrate_template

        with servers.template_lock(run.coordinates) as connection:
            migrate_template(connection)
            servers.recreate_database(connection, servers.database_of("main"), servers.TEMPLATE)
        yield
    finally:
        run.stop()
