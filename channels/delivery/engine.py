"""Delivers what is due: claim, call the providers with no transaction open, finish."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from uuid import UUID

from channels import sending
from channels.delivery.claiming import Batch, claim
from channels.delivery.finishing import Result, carry, decide, finish, release
from channels.delivery.shared_limits import account_key
from channels.errors import ChannelError, ErrorReason
from channels.sending import Line, Parcel, Sent

BATCH = 20
OF_ONE_MESSAGE = {ErrorReason.CLIENT_ERROR, ErrorReason.TOO_LARGE, ErrorReason.UNKNOWN}
MAX_THREADS = 8
# What finishing a batch may take before its lease ends.
MARGIN_SECONDS = 3.0

_is_stopping = threading.Event()


def stop_sending() -> None:
    """Make no more calls in this process: what was leased for them is given back at once. Safe in a signal handler."""
    _is_stopping.set()


def deliver_due(tenant_id: UUID, limit: int = BATCH) -> int:
    """Send up to `limit` due deliveries of a tenant; returns how many were leased, 0 when none may go now."""
    if _is_stopping.is_set():
        return 0
    batch = claim(tenant_id, limit)
    if batch.parcels:
        finish(tenant_id, send_all(batch))
    return len(batch.parcels)


def send_all(batch: Batch) -> list[Result]:
    """Make the calls, several at a time; a call that outlives the lease is left to the sweeper."""
    parcels = batch.parcels
    if len(parcels) <= 1:
        return [told for parcel in parcels for told in with_carried(_send_one(batch, parcel), batch)]
    pool = ThreadPoolExecutor(min(MAX_THREADS, len(parcels)), thread_name_prefix="deliver")
    futures: dict[Future[Result], Parcel] = {pool.submit(_send_one, batch, parcel): parcel for parcel in parcels}
    wait(futures, timeout=max(batch.seconds_of_lease_left() - MARGIN_SECONDS, 0.0))
    pool.shutdown(wait=False, cancel_futures=True)
    results = []
    for future, parcel in futures.items():
        if future.cancelled():
            results += with_carried(_give_back(batch, parcel), batch)
        elif future.done():
            results += with_carried(future.result(), batch)
    return results


def with_carried(result: Result, batch: Batch) -> list[Result]:
    """Return the result with those of the parcels that it told besides: the same call decides about all."""
    others = batch.carried.get(result.sent.parcel.delivery_id, [])
    return [result, *(carry(result, parcel, len(others) + 1) for parcel in others)]


def _send_one(batch: Batch, parcel: Parcel) -> Result:
    line = batch.lines[parcel.channel_id]
    if isinstance(line, ChannelError):
        return decide(Sent(parcel, error=line), "unknown", idempotent=True)
    if _is_stopping.is_set() or not _has_time(batch, line):
        return _give_back(batch, parcel)
    others = batch.carried.get(parcel.delivery_id, ())
    sent = sending.send(line, parcel, others)
    if others and sent.error is not None and sent.error.permanent and sent.error.reason in OF_ONE_MESSAGE:
        # Refused for good is the digest, perhaps for one of those in it; none of them dies of the others.
        sent = replace(sent, error=ChannelError(sent.error.reason, sent.error.detail, status=sent.error.status))
    account = account_key(line.kind, line.account) if line.account is not None else ""
    return replace(decide(sent, line.kind, idempotent=line.adapter.idempotent), account=account)


def _has_time(batch: Batch, line: Line) -> bool:
    return batch.seconds_of_lease_left() > line.adapter.send_timeout + MARGIN_SECONDS


def _give_back(batch: Batch, parcel: Parcel) -> Result:
    line = batch.lines[parcel.channel_id]
    return release(Sent(parcel), line.kind if isinstance(line, Line) else "unknown")
