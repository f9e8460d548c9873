"""The states of a delivery and the only steps between them."""

from django.utils.translation import gettext as _

from channels.models import DeliveryState as S

# The same table guards the column in PostgreSQL (migration 0003).
STEPS: dict[S, frozenset[S]] = {
    S.PENDING: frozenset({S.LEASED, S.CANCELLED, S.EXPIRED}),
    S.LEASED: frozenset({S.DELIVERED, S.PENDING, S.UNCERTAIN, S.DEAD}),
    S.UNCERTAIN: frozenset({S.DELIVERED, S.PENDING, S.DEAD}),
    S.DEAD: frozenset({S.PENDING, S.CANCELLED}),
    S.DELIVERED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}
TERMINAL = frozenset({S.DELIVERED, S.DEAD, S.CANCELLED, S.EXPIRED})
# Endings in which nobody was told; whoever listens in DELIVERY_OBSERVERS hears of them.
FAILED = frozenset({S.DEAD, S.EXPIRED})


class IllegalStep(Exception):
    """A delivery was asked to take a step that its state does not allow."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(_("A delivery that is %(old)s cannot become %(new)s.") % {"old": old, "new": new})
        self.old, self.new = old, new


def sources_of(new: S) -> list[str]:
    """Return the states from which a delivery may become `new`, for a WHERE clause."""
    return [old.value for old, allowed in STEPS.items() if new in allowed]
