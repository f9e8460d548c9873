"""Two workers at once never ask the same source."""

import threading

from django.db import connection, transaction

from metrics.collecting import schedule
from tests.factories import make_tenant
from tests.metrics.collecting.making import make_source


def test_what_one_worker_holds_another_passes_over(committed_db: None) -> None:
    tenant = make_tenant()
    sources = [make_source(tenant, "https://example.com/", f"source {number}") for number in range(4)]
    other: list[set[object]] = []

    def claim_elsewhere() -> None:
        try:
            other.append({claim.source_id for claim in schedule.claim(10)})
        finally:
            connection.close()

    with transaction.atomic():
        mine = {claim.source_id for claim in schedule.claim(2)}
        thread = threading.Thread(target=claim_elsewhere)
        thread.start()
        # It does not wait for this transaction: rows that are held are passed over.
        thread.join(30)
        assert not thread.is_alive()
    assert len(mine) == 2
    assert other == [{source.pk for source in sources} - mine]
