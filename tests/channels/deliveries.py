"""Channels whose provider lives in the test, and the hands to put deliveries in and look at them."""

import hashlib
import itertools
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection

from channels.adapters.base import Account, Adapter, AdapterCredentials, AdapterSettings, Outgoing, Receipt
from channels.delivery import NewDelivery, deliver_due, enqueue
from channels.delivery.leases import sweep_tenant, tenants_with_late
from channels.delivery.reconcile import reconcile_tenant, tenants_in_doubt
from channels.errors import ChannelError, ErrorReason
from channels.message import Message
from channels.models import Channel, Delivery, DeliveryQueue, DestinationHealth
from tenants.context import tenant_context
from tenants.models import Tenant

_number = itertools.count(1)
KINDS = ["findable", "blind", "idempotent"]
ADAPTERS = [f"tests.channels.deliveries.{name}" for name in ("Findable", "Blind", "Idempotent", "Accounted")]
FAST = 6_000_000


class Killed(BaseException):
    """The sender dies in the middle of a call, as by kill -9: nothing below may catch it."""


class Provider:
    """What the channels of these kinds talk to. A scripted answer is an error to raise or a call to make."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.calls: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.lookups: Counter[str] = Counter()
        self.order: list[str] = []
        self.script: deque[BaseException | Callable[[Outgoing], None] | None] = deque()
        self.lookup_error: ChannelError | None = None
        self.lock = threading.Lock()

    def call(self, outgoing: Outgoing) -> Receipt:
        with self.lock:
            self.calls[outgoing.delivery_id] += 1
            answer = self.script.popleft() if self.script else None
        if isinstance(answer, BaseException):
            if getattr(answer, "ambiguous", False) and not getattr(answer, "lost", False):
                self._take(outgoing)
            raise answer
        if answer is not None:
            answer(outgoing)
        self._take(outgoing)
        return Receipt(provider_id=f"p-{outgoing.delivery_id}")

    def _take(self, outgoing: Outgoing) -> None:
        with self.lock:
            self.taken[outgoing.delivery_id] += 1
            self.order.append(outgoing.message.title)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        self.lookups[outgoing.delivery_id] += 1
        if self.lookup_error is not None:
            raise self.lookup_error
        return Receipt(provider_id="found") if self.taken[outgoing.delivery_id] else None


PROVIDER = Provider()


class Options(AdapterSettings):
    to: tuple[str, ...] = ("reader",)
    account: str = ""


class Secrets(AdapterCredentials):
    pass


class Findable(Adapter[Options, Secrets]):
    """Like Slack: repeats are seen by the reader, but what was sent can be looked up."""

    kind = "findable"
    label = "Findable"
    Settings = Options
    Credentials = Secrets
    parts: ClassVar[dict[str, Any]] = {}
    can_find = True
    default_rate_per_minute = FAST
    send_timeout = 5.0

    def recipients(self, settings: Options) -> list[str]:
        return list(settings.to)

    def send(self, outgoing: Outgoing) -> Receipt:
        return PROVIDER.call(outgoing)

    def find(self, outgoing: Outgoing, since: datetime) -> Receipt | None:
        return PROVIDER.find(outgoing)


class Blind(Findable):
    """Like e-mail: repeats are seen and nothing can be looked up."""

    kind = "blind"
    can_find = False


class Idempotent(Findable):
    """Like a webhook: the receiver drops repeats."""

    kind = "idempotent"
    can_find = False
    idempotent = True


class Accounted(Findable):
    """Like Slack in this too: several channels lead to one account, which has a limit of its own."""

    kind = "accounted"
    has_accounts = True

    def account(self, settings: Options, credentials: Secrets) -> Account | None:
        return Account(key=settings.account, detail=settings.account, per_minute=60) if settings.account else None


def timed_out(*, lost: bool = False) -> ChannelError:
    """A time-out after the bytes left; `lost` means that the provider never got them."""
    error = ChannelError(ErrorReason.TIMEOUT, "no answer", ambiguous=True)
    error.lost = lost
    return error


def failed(**options: Any) -> ChannelError:
    return ChannelError(ErrorReason.SERVER_ERROR, "HTTP 500", status=500, **options)


def throttled(seconds: float | None, **options: Any) -> ChannelError:
    return ChannelError(ErrorReason.RATE_LIMITED, "HTTP 429", retry_after=seconds, status=429, **options)


def refused(**options: Any) -> ChannelError:
    return ChannelError(ErrorReason.CLIENT_ERROR, "HTTP 400", permanent=True, status=400, **options)


def make_channel(tenant: Tenant, kind: str = "findable", **options: Any) -> Channel:
    with tenant_context(tenant.pk):
        return Channel.objects.create(name=f"{kind}-{next(_number)}", kind=kind, **options)


def message(title: str = "disk full") -> Message:
    return Message(title=title, created_at=datetime.now(UTC))


def put(channel: Channel, count: int = 1, **options: Any) -> list[UUID]:
    """Enqueue deliveries for a channel."""
    numbers = [next(_number) for _ in range(count)]
    options = {"recipient": "reader", "message": message(), **options}
    keys = [hashlib.blake2b(str(number).encode(), digest_size=32).digest() for number in numbers]
    with tenant_context(channel.tenant_id):
        return enqueue([NewDelivery(**{"channel_id": channel.pk, "dedup_key": key, **options}) for key in keys])


def deliver_all_due(tenant_id: UUID) -> None:
    """Send until nothing of the tenant may go now."""
    while deliver_due(tenant_id):
        pass


def sweep_leases() -> int:
    """End the leases that ran out, of all tenants, as the relay does."""
    return sum(map(sweep_tenant, tenants_with_late()))


def reconcile_due() -> int:
    """Take up the uncertain deliveries of all tenants that are due, as the relay does."""
    return sum(map(reconcile_tenant, tenants_in_doubt()))


def get(channel: Channel, delivery_id: UUID) -> Delivery:
    with tenant_context(channel.tenant_id):
        return Delivery.objects.get(pk=delivery_id)


def states(channel: Channel) -> Counter[str]:
    with tenant_context(channel.tenant_id):
        return Counter(Delivery.objects.filter(channel=channel).values_list("state", flat=True))


def outcomes(channel: Channel, delivery_id: UUID) -> list[str]:
    with tenant_context(channel.tenant_id):
        log = Delivery.objects.get(pk=delivery_id).attempt_log.order_by("lease_token")
        return list(log.values_list("outcome", flat=True))


def health(channel: Channel) -> DestinationHealth:
    with tenant_context(channel.tenant_id):
        return DestinationHealth.objects.get(channel=channel)


def queued(delivery_id: UUID) -> DeliveryQueue | None:
    return DeliveryQueue.objects.filter(pk=delivery_id).first()


def wait_seconds(delivery_id: UUID) -> float:
    """Return how long until the delivery is due, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM next_attempt_at - statement_timestamp())::float8 FROM delivery_queue"
            " WHERE delivery_id = %s",
            [delivery_id],
        )
        return float(cursor.fetchone()[0])


def let_pass(seconds: float, tenants: Iterable[Tenant]) -> None:
    """Let time go by: everything the database remembers moves into the past."""
    back = timedelta(seconds=seconds)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery_queue SET next_attempt_at = next_attempt_at - %s, expires_at = expires_at - %s,"
            " lease_until = lease_until - %s",
            [back, back, back],
        )
    for tenant in tenants:
        with tenant_context(tenant.pk), connection.cursor() as cursor:
            cursor.execute("UPDATE delivery SET expires_at = expires_at - %s", [back])
            cursor.execute(
                "UPDATE destination_health SET blocked_until = blocked_until - %s, tokens_at = tokens_at - %s",
                [back, back],
            )
            cursor.execute(
                "UPDATE shared_limit SET blocked_until = blocked_until - %s, tokens_at = tokens_at - %s,"
                " throttled_until = throttled_until - %s",
                [back, back, back],
            )
