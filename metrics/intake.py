"""The door of samples: a push is one committed row, and whoever takes samples in is woken."""

from typing import Final

from django.db import transaction
from prometheus_client import Counter

from alerting import wakeup
from metrics import limiting
from metrics.decoding.push import Decoded
from metrics.points import encode_parcel
from tenants.context import one_statement
from tenants.isolation import new_id
from tenants.principal import Principal

TAKE_IN: Final = "metrics.tasks.take_in"
_accepted = Counter("metrics_samples_accepted", "Samples accepted at the door", ["source"])

_STORE: Final = """
WITH request AS (
    INSERT INTO metric_request (id, tenant_id, body) VALUES (%s, %s, %s) RETURNING id, tenant_id
)
INSERT INTO metric_queue (id, tenant_id, samples) SELECT id, tenant_id, %s FROM request RETURNING id
"""


def admit(principal: Principal) -> None:
    """Raise unless this caller may send samples now."""
    principal.require("send_metrics")
    limiting.backlog.check(principal.tenant_id)


def accept(principal: Principal, source: str, decoded: Decoded) -> int:
    """Store the samples of a push; when this returns outside a transaction, they are committed. Returns how many."""
    principal.require("send_metrics")
    samples = decoded.parcel.samples
    limiting.spend(principal.tenant_id, samples)
    if not samples:
        return 0
    tenant_id = principal.tenant_id
    one_statement(tenant_id, _STORE, [str(new_id()), str(tenant_id), encode_parcel(decoded.parcel), samples])
    limiting.backlog.note(tenant_id, samples)
    _accepted.labels(source).inc(samples)
    transaction.on_commit(lambda: wakeup.ring(TAKE_IN, tenant_id))
    return samples
