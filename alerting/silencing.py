"""Begin and end silences."""

from datetime import datetime

from alerting.models import Silence
from channels.selectors import database_now
from tenants import audit
from tenants.principal import Principal


def create_silence(principal: Principal, silence: Silence) -> Silence:
    """Save a new silence under the name of who asked for it; it is already validated."""
    silence.author = principal.label[:200]
    audit.save_audited(principal, silence)
    return silence


def expire_silence(principal: Principal, silence: Silence, now: datetime | None = None) -> None:
    """End a silence now; one that has not begun is taken back, one that is over stays as it is."""
    now = now or database_now()
    if silence.starts_at >= now:
        audit.delete_audited(principal, silence, reason="expired before it began")
    elif silence.ends_at > now:
        silence.ends_at = now
        audit.save_audited(principal, silence, reason="expired")
