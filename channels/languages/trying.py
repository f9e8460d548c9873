"""Shows what a tenant's phrase would say before it is saved: the phrase itself, and whole messages with it in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import msgspec

from channels.languages.alert_types import AlertType
from channels.languages.book import TenantWords, leaves, split_leaf
from channels.languages.catalogue import SOURCE, catalogue, languages
from channels.languages.faults import phrase_faults
from channels.languages.locales import chain
from channels.languages.overrides import words_here
from channels.languages.phrase import COUNT, OTHER
from channels.languages.wording import FIRING, RESOLVED
from channels.message import AlertLine, Message
from channels.templating.render import render
from channels.templating.samples import sample_message

#: Which parts of a message are shown, by kind of channel.
SHOWN: Final = {"slack": "text", "email": "text", "sms": "text"}
#: What stands for a name in braces.
SAMPLES: Final = {
    "metric": "disk usage",
    "subject": "db-primary-1",
    "value": "96",
    "threshold": "90",
    "expected": "60",
    "lower": "50",
    "upper": "70",
    "who": "Ann",
    "when": "03:41",
    "ago": "…",
    "span": "…",
    "name": "LoginFailures",
    "tenant": "Payments",
}
#: By which annotation a sentence about an alert learns a fact that it needs.
FACTS: Final = {
    **{name: (name, SAMPLES[name]) for name in ("metric", "value", "threshold", "expected", "lower", "upper")},
    "is_above": ("direction", "above"),
    "is_below": ("direction", "below"),
    "span": ("for_seconds", "1200"),
    "actor": ("actor", "admin"),
    "source": ("source_ip", "203.0.113.9"),
    "count": ("attempts", "120"),
    "error": ("error", "HTTP 503"),
    "is_trend": ("change", "trend"),
    "is_spread": ("change", "variance"),
    "is_returned": ("ended_because", "returned"),
    "is_settled": ("ended_because", "settled"),
}
#: A count for which a plural form is chosen in the five languages.
COUNTS: Final = {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 1_000_000, OTHER: 5}


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """The phrase as the service says it and as the tenant would, then messages by kind of channel, or what is wrong."""

    built_in: str = ""
    sentence: str = ""
    names: tuple[str, ...] = ()
    messages: dict[str, str] = {}
    faults: dict[str, str] = {}


def built_in(locale: str, leaf: str) -> str:
    """Return what the service says by itself; empty when it has no such phrase."""
    key, form = split_leaf(leaf)
    for tag in chain(locale, SOURCE):
        phrase = catalogue(tag).get(key)
        if phrase is not None:
            return phrase.forms.get(form, phrase.forms[OTHER])
    return ""


def keys() -> dict[str, str]:
    """Return every phrase that may be replaced in some language, with what it is in English."""
    found = dict.fromkeys(leaf for tag in languages() for leaf in leaves(tag))
    return {leaf: built_in(SOURCE, leaf) for leaf in sorted(found)}


def try_phrase(locale: str, leaf: str, text: str) -> Tried:
    """Say the phrase and some messages with it, inside the tenant's context; saves nothing."""
    names = tuple(sorted(leaves(locale).get(leaf, ())))
    faults = phrase_faults(locale, leaf, text)
    if faults:
        return Tried(built_in=built_in(locale, leaf), names=names, faults=faults)
    words = _with(words_here(), locale, leaf, text)
    shown = msgspec.structs.replace(_message(leaf), locale=locale)
    return Tried(
        built_in=built_in(locale, leaf),
        sentence=text.format_map(_samples(names, leaf)),
        names=names,
        messages={kind: render(kind, {}, shown, words).parts[part] for kind, part in SHOWN.items()},
    )


def _message(leaf: str) -> Message:
    """Return the everyday message; for a sentence about one type of alert, a message about an alert it is said of."""
    everyday = sample_message()
    key, _form = split_leaf(leaf)
    if not key.startswith("types."):
        return everyday
    _types, kind, part, name = key.split(".")
    is_over, needs = _needs(AlertType(kind), part, name)
    labels = {"alertname": SAMPLES["name"], "alert_type": _called(kind, needs)}
    if "subject" in needs:
        labels["instance"] = SAMPLES["subject"]
    facts = dict(FACTS[need] for need in needs if need in FACTS)
    if needs & {"reaches", "ahead"}:
        facts["reaches_at"] = (everyday.created_at + timedelta(hours=9)).isoformat()
    if "changed" in needs:
        facts["changed_at"] = (everyday.created_at - timedelta(hours=3)).isoformat()
    alert = AlertLine(
        fingerprint="0" * 32,
        status="resolved" if is_over else "firing",
        severity=everyday.severity,
        labels=labels,
        annotations=facts | ({"unit": "%"} if facts else {}),
        starts_at=everyday.created_at - timedelta(hours=2),
        ends_at=everyday.created_at if is_over else None,
    )
    return msgspec.structs.replace(
        everyday, status=alert.status, alerts=[alert], group_labels={}, links=[], total_count=1, firing_count=1
    )


def _called(kind: str, needs: frozenset[str]) -> str:
    if "is_absent" in needs:
        return "absence"
    return "rate" if "is_rate" in needs else kind


def _needs(kind: AlertType, part: str, name: str) -> tuple[bool, frozenset[str]]:
    """Return whether a sentence is said of what is over, and what must be known for it."""
    for is_over, table in ((False, FIRING), (True, RESOLVED)):
        for key, needs in table[kind].get(part, ()):
            if key == name:
                return is_over, needs
    return False, frozenset()


def _with(words: TenantWords, locale: str, leaf: str, text: str) -> TenantWords:
    texts = {tag: dict(said) for tag, said in words.texts.items()}
    texts.setdefault(locale, {})[leaf] = text
    return TenantWords(words.default, texts)


def _samples(names: tuple[str, ...], leaf: str) -> Mapping[str, str]:
    _key, form = split_leaf(leaf)
    return {name: str(COUNTS[form]) if name == COUNT else SAMPLES.get(name, name) for name in names}
