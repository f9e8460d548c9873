"""Sources of a tenant, and what became of them."""

import json
from datetime import timedelta
from typing import Any

from django.db import connection

from metrics.models import Series, Source, SourceState
from tenants.context import tenant_context
from tenants.models import Tenant


def make_source(tenant: Tenant, url: str, name: str = "numbers", **more: Any) -> Source:
    """Make a source of JSON that is due now; `secret` is its token."""
    secret = more.pop("secret", "")
    more.setdefault("kind", "json")
    more.setdefault("settings", {"url": url, "values": {"depth": "depth"}})
    more.setdefault("interval", timedelta(minutes=1))
    credentials = json.dumps({"token": secret}) if secret else ""
    with tenant_context(tenant.pk):
        source = Source.objects.create(name=name, credentials=credentials, **more)
    make_due(source)
    return source


def make_due(*sources: Source) -> None:
    """Let the next look be due since a second ago."""
    ids = [source.pk for source in sources]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE metric_source_due SET due_at = statement_timestamp() - interval '1 second'"
            " WHERE source_id = ANY(%s::uuid[])",
            [ids],
        )


def state_of(source: Source) -> SourceState:
    """How a source is doing."""
    with tenant_context(source.tenant_id):
        return SourceState.objects.get(source=source)


def seconds_to_next(source: Source) -> float:
    """In how many seconds a source is asked again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM due_at - statement_timestamp())::float8 FROM metric_source_due"
            " WHERE source_id = %s",
            [source.pk],
        )
        return float(cursor.fetchone()[0])


def last_values(tenant: Tenant) -> dict[str, float | None]:
    """The last value of each series of a tenant, by its name and labels."""
    with tenant_context(tenant.pk):
        return {str(series): series.last_value for series in Series.objects.all()}
