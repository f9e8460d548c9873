"""What mutes the alert and what just misses it, told: silences, inhibition rules and maintenance windows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting.configuration import Compiled
from alerting.explain.story import Detail, Step, StepKind, Verdict
from alerting.explain.words import Clock, mismatch
from alerting.matchers import Matcher, from_json
from alerting.models import Alert, Silence
from alerting.muting import FiringSources, Muted, NearMiss, SilenceState

#: Rules that miss are told up to this many; the nearest first.
MAX_MISSES: Final = 5
#: Firing alerts that inhibit, looked through for one that nearly does.
MAX_SOURCES: Final = 500


def silences(
    configuration: Compiled, muted: list[Muted], labels: Mapping[str, str], at: datetime, clock: Clock
) -> Step:
    """The step of silences."""
    misses = configuration.silences.near_misses(labels, at)
    rows = Silence.objects.in_bulk({*(one.id for one in muted), *(one.id for one in misses)})
    details = [
        Detail(
            verdict=Verdict.QUIET,
            code="muted",
            subject="silence",
            id=one.id,
            name=one.name,
            at=one.until,
            sentence=_("%(silence)s mutes it.") % {"silence": _silence(rows.get(one.id), one.name, clock)},
        )
        for one in muted
    ]
    near = _nearest(misses, {key: from_json(row.matchers) for key, row in rows.items()}, labels)
    details += [_missed_silence(one, rows.get(one.id), labels, clock) for one in near[:MAX_MISSES]]
    details += _rest(len(misses) - MAX_MISSES)
    return _step(StepKind.SILENCES, _("Silences"), details, len(muted), _SILENCE_SENTENCES)


def maintenance(
    configuration: Compiled, muted: list[Muted], labels: Mapping[str, str], at: datetime, clock: Clock
) -> Step:
    """The step of maintenance windows."""
    misses = configuration.windows.near_misses(labels, at)
    details = [
        Detail(
            verdict=Verdict.QUIET,
            code="muted",
            subject="maintenance_window",
            id=one.id,
            name=one.name,
            at=one.until,
            sentence=_("The maintenance window “%(name)s” is open until %(until)s and mutes it.")
            % {"name": one.name, "until": clock.at(one.until) if one.until else ""},
        )
        for one in muted
    ]
    details += [_missed_window(configuration, one, labels, at, clock) for one in misses[:MAX_MISSES]]
    details += _rest(len(misses) - MAX_MISSES)
    return _step(StepKind.MAINTENANCE, _("Maintenance windows"), details, len(muted), _WINDOW_SENTENCES)


def inhibitions(
    configuration: Compiled, muted: list[Muted], labels: Mapping[str, str], sources: FiringSources, clock: Clock
) -> Step:
    """The step of inhibition rules."""
    found = {bytes(row.fingerprint): row for row in Alert.objects.filter(fingerprint__in=[one.source for one in muted])}
    details = []
    for one in muted:
        source = found.get(one.source or b"")
        values = {"name": one.name, "source": str(source) if source else _("this alert itself")}
        details.append(
            Detail(
                verdict=Verdict.QUIET,
                code="muted",
                subject="inhibition_rule",
                id=one.id,
                name=one.name,
                sentence=_("“%(name)s” mutes it while “%(source)s” fires.") % values,
                data={"source": None if source is None else str(source.pk)},
            )
        )
    misses = configuration.inhibitor.near_misses(labels, sources)
    details += [_missed_inhibition(configuration, one, labels) for one in misses[:MAX_MISSES]]
    details += _rest(len(misses) - MAX_MISSES)
    return _step(StepKind.INHIBITIONS, _("Inhibition rules"), details, len(muted), _INHIBITION_SENTENCES)


#: What a step says where nothing mutes, and where something does.
Sentences = tuple[Callable[[], str], Callable[[int], str]]

_SILENCE_SENTENCES: Final[Sentences] = (
    lambda: _("No silence mutes it."),
    lambda count: ngettext("A silence mutes it.", "%(count)d silences mute it.", count),
)
_WINDOW_SENTENCES: Final[Sentences] = (
    lambda: _("No maintenance window mutes it."),
    lambda count: ngettext("A maintenance window mutes it.", "%(count)d maintenance windows mute it.", count),
)
_INHIBITION_SENTENCES: Final[Sentences] = (
    lambda: _("No other alert mutes it."),
    lambda count: ngettext("Another alert that fires mutes it.", "%(count)d rules mute it.", count),
)


def _step(kind: StepKind, title: str, details: Iterable[Detail], count: int, sentences: Sentences) -> Step:
    none, some = sentences
    sentence = some(count) % {"count": count} if count else none()
    verdict = Verdict.QUIET if count else Verdict.MISSED
    return Step(kind=kind, verdict=verdict, title=title, sentence=sentence, details=tuple(details))


def _silence(row: Silence | None, name: str, clock: Clock) -> str:
    if row is None:
        return _("The silence “%(name)s”") % {"name": name}
    values = {"name": name, "author": row.author or _("unknown"), "until": clock.at(row.ends_at)}
    return _("The silence “%(name)s” (by %(author)s, until %(until)s)") % values


def _missed_silence(one: NearMiss, row: Silence | None, labels: Mapping[str, str], clock: Clock) -> Detail:
    values = {"silence": _silence(row, one.name, clock)}
    if one.failed is not None:
        values["why"] = mismatch(one.failed, labels)
        sentence = _("%(silence)s does not mute it: %(why)s.")
    elif one.state == SilenceState.PENDING and row is not None:
        values["at"] = clock.at(row.starts_at)
        sentence = _("%(silence)s fits, but begins only at %(at)s.")
    else:
        values = {"name": one.name, "at": clock.at(row.ends_at) if row else ""}
        sentence = _("The silence “%(name)s” fits, but ended at %(at)s.")
    return _missed("silence", one, sentence % values, labels)


def _missed_window(
    configuration: Compiled, one: NearMiss, labels: Mapping[str, str], at: datetime, clock: Clock
) -> Detail:
    if one.failed is not None:
        sentence = _("The maintenance window “%(name)s” is open, but does not mute it: %(why)s.")
        return _missed(
            "maintenance_window", one, sentence % {"name": one.name, "why": mismatch(one.failed, labels)}, labels
        )
    row = next(row for row in configuration.windows.rows if row.id == one.id)
    comes = row.next_occurrences(at, 1)
    values = {"name": one.name, "opens": clock.at(comes[0].starts_at) if comes else ""}
    sentence = _("The maintenance window “%(name)s” would mute it, but is over.")
    if comes:
        sentence = _("The maintenance window “%(name)s” would mute it, but opens only at %(opens)s.")
    return _missed("maintenance_window", one, sentence % values, labels)


def _missed_inhibition(configuration: Compiled, one: NearMiss, labels: Mapping[str, str]) -> Detail:
    if one.failed is not None:
        sentence = _("“%(name)s” does not concern it: %(why)s.")
        return _missed(
            "inhibition_rule", one, sentence % {"name": one.name, "why": mismatch(one.failed, labels)}, labels
        )
    rule = next(rule for rule in configuration.inhibitor.rules if rule.id == one.id)
    near = _nearest_source(rule.source_matchers, rule.equal, labels)
    if near is None:
        sentence = _("“%(name)s” would mute it, but no alert that could do so fires.") % {"name": one.name}
    else:
        source, label = near
        sentence = _(
            "“%(name)s” does not mute it: “%(source)s” fires with %(label)s=%(theirs)s, this alert has %(ours)s."
        )
        sentence %= {
            "name": one.name,
            "source": str(source),
            "label": label,
            "theirs": source.labels.get(label, "–"),
            "ours": labels.get(label, "–"),
        }
    return _missed("inhibition_rule", one, sentence, labels)


def _nearest_source(
    matchers: Sequence[Matcher], equal: Sequence[str], labels: Mapping[str, str]
) -> tuple[Alert, str] | None:
    """The firing source that differs from the alert in the fewest of the labels that must be equal, and the first."""
    best: tuple[int, Alert, str] | None = None
    for source in Alert.objects.filter(status="firing", is_inhibitor=True).order_by("-changed_at")[:MAX_SOURCES]:
        if not all(matcher.matches(source.labels) for matcher in matchers):
            continue
        differing = [name for name in equal if source.labels.get(name, "") != labels.get(name, "")]
        if differing and (best is None or len(differing) < best[0]):
            best = (len(differing), source, differing[0])
    return None if best is None else best[1:]


def _missed(subject: str, one: NearMiss, sentence: str, labels: Mapping[str, str]) -> Detail:
    data = {"state": one.state}
    if one.failed is not None:
        data |= {"failed": str(one.failed), "seen": labels.get(one.failed.name, "")}
    code = "matcher_failed" if one.failed is not None else (one.state or "not_now")
    return Detail(
        verdict=Verdict.MISSED, code=code, subject=subject, id=one.id, name=one.name, sentence=sentence, data=data
    )


def _nearest(
    misses: Sequence[NearMiss], matchers: Mapping[UUID, Sequence[Matcher]], labels: Mapping[str, str]
) -> list[NearMiss]:
    """Those first of which most matchers hold: a rule with one matcher that fails is hardly near."""
    return sorted(misses, key=lambda one: -sum(m.matches(labels) for m in matchers.get(one.id, ())))


def _rest(count: int) -> list[Detail]:
    if count <= 0:
        return []
    sentence = ngettext("%(count)d more misses it.", "%(count)d more miss it.", count) % {"count": count}
    return [Detail(verdict=Verdict.MISSED, code="more", sentence=sentence, data={"count": count})]
