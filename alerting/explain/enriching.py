"""Enrichment, told: what each step changed, and which matcher kept each other step away."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting.enrichment import Applied, Changes, Enriched, StepRow
from alerting.enrichment.base import changed
from alerting.explain.story import Detail, Step, StepKind, Verdict
from alerting.explain.words import mismatch, shown
from alerting.matchers import first_failing


def enrichment(rows: Sequence[StepRow], labels: Mapping[str, str], enriched: Enriched) -> Step:
    """The step of enrichment. `enriched` is what the chain made of these labels."""
    done = {applied.step_id: applied for applied in enriched.applied}
    details: list[Detail] = []
    seen = labels
    for row in rows:
        applied = done.get(row.id)
        details.append(_missed(row, seen) if applied is None else _applied(row.id, applied, seen))
        if applied is not None and applied.changes.labels:
            seen = changed(seen, applied.changes.labels)
    return Step(
        kind=StepKind.ENRICHMENT,
        verdict=Verdict.CHANGED if done else Verdict.MISSED,
        title=_("Enrichment"),
        sentence=_sentence(len(done), len(rows)),
        details=tuple(details),
    )


def _sentence(done: int, total: int) -> str:
    if not total:
        return _("No step of enrichment is configured; the alert stays as it is.")
    if not done:
        return _("No step of enrichment changes it.")
    return ngettext(
        "%(done)d of %(total)d step of enrichment changes it.",
        "%(done)d of %(total)d steps of enrichment change it.",
        total,
    ) % {"done": done, "total": total}


def _missed(row: StepRow, labels: Mapping[str, str]) -> Detail:
    failed = first_failing(row.matchers, labels)
    if failed is None:
        sentence = _("“%(name)s” applies, and finds nothing to change.") % {"name": row.name}
        return Detail(
            verdict=Verdict.NOTED, code="nothing_to_change", subject="enrichment_step", id=row.id, name=row.name,
            sentence=sentence,
        )  # fmt: skip
    sentence = _("“%(name)s” does not apply: %(why)s.") % {"name": row.name, "why": mismatch(failed, labels)}
    return Detail(
        verdict=Verdict.MISSED,
        code="not_matched",
        subject="enrichment_step",
        id=row.id,
        name=row.name,
        sentence=sentence,
        data={"failed": str(failed), "seen": labels.get(failed.name, "")},
    )


def _applied(step_id: UUID, applied: Applied, before: Mapping[str, str]) -> Detail:
    sentence = _("“%(name)s” applies.") % {"name": applied.name}
    return Detail(
        verdict=Verdict.CHANGED,
        code="applied",
        subject="enrichment_step",
        id=step_id,
        name=applied.name,
        sentence=sentence,
        data={"labels": dict(applied.changes.labels), "annotations": dict(applied.changes.annotations)},
        details=tuple(_changes(applied.changes, before)),
    )


def _changes(changes: Changes, before: Mapping[str, str]) -> list[Detail]:
    found = [_change("label", name, value, before.get(name)) for name, value in changes.labels.items()]
    found += [_change("annotation", name, value, None) for name, value in changes.annotations.items()]
    found += [Detail(verdict=Verdict.FAULT, code="refused", sentence=text) for text in changes.refused]
    return found


def _change(what: str, name: str, value: str | None, before: str | None) -> Detail:
    values = {"name": name, "value": shown(value or ""), "before": shown(before or "")}
    if what == "annotation":
        sentence = _("takes the annotation %(name)s away") if value is None else _("annotation %(name)s: “%(value)s”")
    elif value is None:
        sentence = _("takes the label %(name)s away")
    elif before:
        sentence = _("label %(name)s: %(before)s → %(value)s")
    else:
        sentence = _("label %(name)s: %(value)s")
    return Detail(
        verdict=Verdict.CHANGED, code=f"{what}_set" if value else f"{what}_removed", sentence=sentence % values
    )
