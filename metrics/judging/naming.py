"""What the alert of a finding is called: the labels that identify it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from alerting.decoding.limits import MAX_LABEL_VALUE, MAX_LABELS
from metrics.models import Finding

#: Names that stand for themselves; a series' label of such a name would change what the alert is.
_OWN: Final = ("alertname", "metric", "threshold", "finding_kind")


class Named(Protocol):
    """A threshold, as a row or as a rule."""

    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


def labels_of(finding: Finding, rule: Named) -> dict[str, str]:
    """What identifies the alert: the same for the same subject of the same rule, whatever was measured."""
    own = {"alertname": rule.name, "metric": finding.metric, "threshold": rule.name, "finding_kind": finding.kind}
    given = {name: str(text) for name, text in (finding.labels | dict(rule.labels)).items()}
    given = {name: text for name, text in given.items() if name not in _OWN and text}
    room = MAX_LABELS - len(own)
    return own | {name: text[:MAX_LABEL_VALUE] for name, text in sorted(given.items())[:room]}
