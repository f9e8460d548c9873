"""The latest models of each tenant, kept per thread; numpy is loaded with the first of them and not before."""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

import structlog

from alerting.exclusive import Moment
from alerting.models import Scoring, ScoringModel
from alerting.rows import fetch
from tenants.context import current_tenant_id

if TYPE_CHECKING:
    from alerting.scoring.numerics.novelty import NoveltyModel
    from alerting.scoring.numerics.urgency import UrgencyModel
    from alerting.scoring.scorer import Scorer

log = structlog.get_logger(__name__)

#: How long a thread goes on with the models it has before it asks for newer ones.
FRESH_FOR: Final = timedelta(seconds=60)
MAX_TENANTS: Final = 64
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_NEWER: Final = "SELECT kind, data, trained_at FROM scoring_model WHERE tenant_id = %s AND trained_at > %s"


class Rules(Protocol):
    """What the tenant lets scoring do (`alerting.configuration.ScoringRules`)."""

    @property
    def mode(self) -> str: ...
    @property
    def severity_floor(self) -> int: ...
    @property
    def trust_floor(self) -> float: ...


class _Models:
    """What a thread has of one tenant."""

    def __init__(self) -> None:
        self.asked_at = self.newest = _EPOCH
        self.novelty: NoveltyModel | None = None
        self.urgency: UrgencyModel | None = None

    def refresh(self, now: datetime) -> None:
        """Take over models that are newer than those here."""
        self.asked_at = now
        for kind, data, trained_at in fetch(_NEWER, [current_tenant_id(), self.newest]):
            self.newest = max(self.newest, trained_at)
            self._load(kind, bytes(data))

    def _load(self, kind: str, data: bytes) -> None:
        from alerting.scoring.numerics.novelty import NoveltyModel
        from alerting.scoring.numerics.packing import BadModel
        from alerting.scoring.numerics.urgency import UrgencyModel

        try:
            if kind == ScoringModel.Kind.NOVELTY:
                self.novelty = NoveltyModel.load(data)
            else:
                self.urgency = UrgencyModel.load(data)
        except BadModel as error:
            # Of another version: alerts go on without scores until the next fit.
            log.warning("scoring model left out", kind=kind, reason=str(error))


class _Kept(threading.local):
    def __init__(self) -> None:
        self.tenants: OrderedDict[UUID, _Models] = OrderedDict()


_kept: Final = _Kept()


def scorer_of(moment: Moment, rules: Rules) -> "Scorer | None":
    """The tenant's scorer, with models at most a minute old; None where scoring is off or nothing was learned yet."""
    if rules.mode == Scoring.OFF:
        return None
    models = _kept.tenants.setdefault(moment.tenant_id, _Models())
    _kept.tenants.move_to_end(moment.tenant_id)
    if len(_kept.tenants) > MAX_TENANTS:
        _kept.tenants.popitem(last=False)
    if moment.now - models.asked_at >= FRESH_FOR:
        models.refresh(moment.now)
    if models.novelty is None and models.urgency is None:
        return None
    from alerting.scoring.scorer import Scorer

    return Scorer(models.novelty, models.urgency, rules, moment)


def forget() -> None:
    """Forget the models this thread has."""
    _kept.tenants.clear()
