"""Takes waiting pushes of a tenant in: the busier it is, the larger the sets, and the cheaper each sample."""

from typing import Final
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError
from prometheus_client import Counter

from metrics import aside
from metrics.ingest import IngestReport, take_in, take_turn
from metrics.points import decode_parcel
from metrics.storage import directory, rows
from tenants.context import tenant_context

log = structlog.get_logger(__name__)

#: In one transaction: as many samples and requests as stay well below a second of work.
MOST_SAMPLES: Final = 150_000
MOST_REQUESTS: Final = 1_000
_samples = Counter("metrics_samples", "Samples by what became of them", ["result"])

# Requests up to the limit of samples, the oldest first, and the first one whatever its size.
_CLAIM: Final = """
WITH claimed AS (
    DELETE FROM metric_queue WHERE id IN (
        SELECT id FROM (
            SELECT id, sum(samples) OVER (ORDER BY received_at, id) - samples AS before
            FROM (SELECT id, samples, received_at FROM metric_queue WHERE tenant_id = %(tenant)s
                  ORDER BY received_at, id LIMIT %(requests)s) AS oldest
        ) AS counted WHERE before < %(samples)s
    ) RETURNING id, received_at
), taken AS (
    DELETE FROM metric_request r USING claimed c WHERE r.tenant_id = %(tenant)s AND r.id = c.id
    RETURNING r.id, r.body, c.received_at
)
SELECT body FROM taken ORDER BY received_at, id
"""


def drain(tenant_id: UUID) -> int:
    """Take in what waits, up to the limits; return how many samples came in, 0 when none waited.

    A set that cannot be taken in is tried again one request at a time; the request that fails alone is set aside.
    """
    try:
        return _drain(tenant_id, MOST_REQUESTS)
    except (OperationalError, InterfaceError):
        # The database is away, slow or locked: nothing is wrong with the samples, and nothing was lost.
        directory.forget()
        raise
    except Exception:  # whatever one request does: it is looked for, and the others are taken in
        log.exception("samples not taken in together", tenant_id=str(tenant_id))
        directory.forget()
    return _drain_one(tenant_id)


def _drain_one(tenant_id: UUID) -> int:
    try:
        return _drain(tenant_id, 1)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        ids = aside.put(tenant_id, error)
        log.exception("samples set aside", tenant_id=str(tenant_id), request_ids=[str(one) for one in ids])
        _samples.labels("set_aside").inc()
        return 1


def _drain(tenant_id: UUID, requests: int) -> int:
    with tenant_context(tenant_id):
        now = take_turn(tenant_id)
        claimed = rows.fetch(_CLAIM, {"tenant": tenant_id, "requests": requests, "samples": MOST_SAMPLES})
        if not claimed:
            return 0
        report = take_in(tenant_id, [decode_parcel(row[0]) for row in claimed], now)
    _count(report)
    return max(1, report.received)


def _count(report: IngestReport) -> None:
    _samples.labels("stored").inc(report.stored)
    for reason, count in report.reasons.items():
        _samples.labels(reason).inc(count)
