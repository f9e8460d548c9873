"""What kind of trouble an alert tells of, worked out from its labels and annotations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec


class AlertType(StrEnum):
    """How an alert is worded."""

    THRESHOLD = "threshold"
    ANOMALY = "anomaly"
    CHANGE = "change"
    FORECAST = "forecast"
    AVAILABILITY = "availability"
    BUSINESS = "business"
    SECURITY = "security"
    GENERIC = "generic"


#: Labels or annotations that say it outright, the first that is known wins.
SAID_BY: Final = ("alert_type", "finding_kind", "category")
SYNONYMS: Final[dict[str, AlertType]] = {
    word: kind
    for kind, words in {
        AlertType.THRESHOLD: "threshold metric metric_threshold limit static rate ratio composite",
        AlertType.ANOMALY: "anomaly outlier deviation adaptive comparison entity",
        AlertType.CHANGE: "change change_point level_shift",
        AlertType.FORECAST: "forecast prediction capacity trend",
        AlertType.AVAILABILITY: "availability uptime probe blackbox heartbeat down reachability absence no_data",
        AlertType.BUSINESS: "business kpi revenue sales",
        AlertType.SECURITY: "security siem auth intrusion vulnerability",
        AlertType.GENERIC: "generic other",
    }.items()
    for word in words.split()
}
#: Words in the name of a metric or an alert; two words together are joined.
_WORDS: Final[dict[str, AlertType]] = {
    word: kind
    for kind, words in {
        AlertType.SECURITY: "login logins auth authentication bruteforce intrusion malware cve waf phishing firewall",
        AlertType.BUSINESS: "revenue orders checkout checkouts conversion sales payments cart carts signups bookings",
        AlertType.AVAILABILITY: "up down unreachable probe heartbeat availability offline",
    }.items()
    for word in words.split()
}
_SPLIT: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_EVENT_FACTS: Final = frozenset({"source_ip", "src_ip", "actor", "attempts"})
_NUMBER_FACTS: Final = frozenset({"value", "current_value"})


class Names(msgspec.Struct, frozen=True):
    """Under which names a fact is looked for, in this order; annotations before labels."""

    value: tuple[str, ...] = ("value", "current_value")
    metric: tuple[str, ...] = ("metric", "metric_name", "kpi")
    threshold: tuple[str, ...] = ("threshold", "limit")
    expected: tuple[str, ...] = ("expected", "baseline")
    lower: tuple[str, ...] = ("lower", "low", "expected_min")
    upper: tuple[str, ...] = ("upper", "high", "expected_max")
    unit: tuple[str, ...] = ("unit", "currency")
    direction: tuple[str, ...] = ("direction",)
    span: tuple[str, ...] = ("for_seconds",)
    reaches_at: tuple[str, ...] = ("reaches_at", "breach_at", "eta")
    change: tuple[str, ...] = ("change",)
    changed: tuple[str, ...] = ("changed_at",)
    ended: tuple[str, ...] = ("ended_because",)
    subject: tuple[str, ...] = ("instance", "host", "hostname", "node", "pod", "service", "job", "resource", "site")
    error: tuple[str, ...] = ("error", "status_code", "http_status")
    actor: tuple[str, ...] = ("actor", "user", "account")
    source: tuple[str, ...] = ("source_ip", "src_ip", "source")
    count: tuple[str, ...] = ("attempts",)


NAMES: Final = Names()
#: Words of `SAID_BY` for data that do not come any more, which is less than being down, and for a value that is the
#: change of another.
ABSENT: Final = frozenset({"absence", "no_data"})
CHANGING: Final = frozenset({"rate"})


def find(names: tuple[str, ...], labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """Return the first fact given under one of these names, empty when there is none."""
    for name in names:
        if found := annotations.get(name) or labels.get(name):
            return str(found)
    return ""


def type_of(labels: Mapping[str, str], annotations: Mapping[str, str]) -> AlertType:
    """Say how an alert is worded: what its labels say, else what its facts show, else what its name means."""
    for name in SAID_BY:
        said = SYNONYMS.get(str(labels.get(name) or annotations.get(name, "")).strip().lower())
        if said is not None:
            return said
    by_name = _by_name(str(find(NAMES.metric, labels, annotations)), str(labels.get("alertname", "")))
    return _by_facts(labels, annotations, by_name) or by_name


def says(words: frozenset[str], labels: Mapping[str, str], annotations: Mapping[str, str]) -> bool:
    """Say whether an alert calls itself by one of these words."""
    said = (str(labels.get(name) or annotations.get(name, "")).strip().lower() for name in SAID_BY)
    return any(word in words for word in said)


def _by_facts(labels: Mapping[str, str], annotations: Mapping[str, str], by_name: AlertType) -> AlertType | None:
    given = annotations.keys() | labels.keys()
    if not given.isdisjoint(_EVENT_FACTS) and by_name in {AlertType.SECURITY, AlertType.GENERIC}:
        return AlertType.SECURITY if not given.isdisjoint({"source_ip", "src_ip", "attempts"}) else None
    if not given.isdisjoint(NAMES.reaches_at):
        return AlertType.FORECAST
    if given.isdisjoint(_NUMBER_FACTS):
        return None
    if by_name is AlertType.BUSINESS or "currency" in given:
        return AlertType.BUSINESS
    if not given.isdisjoint((*NAMES.expected, *NAMES.lower, *NAMES.upper)):
        return AlertType.ANOMALY
    return AlertType.THRESHOLD if not given.isdisjoint(NAMES.threshold) else None


@lru_cache(maxsize=2048)
def _by_name(*names: str) -> AlertType:
    for name in names:
        for word in _SPLIT.findall(name[:120]):
            kind = _WORDS.get(word.lower())
            if kind is not None:
                return kind
    return AlertType.GENERIC
