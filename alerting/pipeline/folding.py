"""Repeats within a batch become one: what was sent about an alert many times costs the database one row."""

from collections.abc import Iterable

from alerting.fingerprint import fingerprint
from alerting.pipeline.claim import Item


class Folded:
    """All that a batch says of one alert: its latest item, how many there were, and each change of status."""

    __slots__ = ("count", "fingerprint", "last", "runs")

    def __init__(self, identity: bytes, item: Item) -> None:
        self.fingerprint = identity
        self.last = item
        self.count = 1
        #: The first item of each stretch of equal status, in order; None while there is only one stretch.
        self.runs: list[Item] | None = None

    def add(self, item: Item) -> None:
        """Take in a later item."""
        if item.alert.status != self.last.alert.status:
            if self.runs is None:
                self.runs = [self.last]
            self.runs.append(item)
        self.last = item
        self.count += 1

    def items(self) -> list[Item]:
        """What has to be judged one after the other: the start of each stretch, and the latest item of all."""
        if self.runs is None:
            return [self.last]
        return self.runs if self.runs[-1] is self.last else [*self.runs, self.last]


def fold(items: Iterable[Item], ignored_labels: frozenset[str]) -> list[Folded]:
    """Items in the order they came in, as one entry per alert, sorted by fingerprint."""
    folded: dict[bytes, Folded] = {}
    for item in items:
        identity = fingerprint(item.alert.labels, ignored_labels)
        known = folded.get(identity)
        if known is None:
            folded[identity] = Folded(identity, item)
        else:
            known.add(item)
    return [folded[identity] for identity in sorted(folded)]
