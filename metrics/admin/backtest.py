"""The page that tries a threshold on the past: as it is and with a change, side by side on the chart."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget

from alerting.admin.fields import DurationTextField
from alerting.admin.matching import label_chips
from alerting.admin.rules import StepSettingsField
from channels.languages.voice import Voice
from metrics.admin.plotting import BLUE, OPTIONS, RED, Plot
from metrics.backtest import Comparison, compare
from metrics.backtest.compare import Compared, Replay
from metrics.judging.due import database_time
from metrics.judging.rules import Rule, rule_of
from metrics.judging.states import moment
from metrics.models import Threshold
from metrics.thresholds import validation
from metrics.thresholds.conditions import Bounds
from tenants.admin.actor import can
from tenants.admin.display import duration_text

DAYS: Final = (1, 7, 14, 30)
#: What is looked at before anything was changed.
AS_IT_IS: Final[dict[str, str]] = {}
#: So many alerts are listed of each subject; the chart shows all.
MOST_LISTED: Final = 12


class BacktestForm(forms.Form):
    """How far back, and what to change for this look only."""

    days = forms.TypedChoiceField(
        label=gettext_lazy("days"),
        choices=[(str(days), str(days)) for days in DAYS],
        coerce=int,
        widget=UnfoldAdminSelectWidget(),
    )
    settings = StepSettingsField(label=gettext_lazy("settings"), required=False, max_length=20_000)
    hold = DurationTextField(label=gettext_lazy("for"), required=False)
    recover = DurationTextField(label=gettext_lazy("over after"), required=False)

    def __init__(self, threshold: Threshold, *args: Any, **options: Any) -> None:
        initial = {"days": "30", **{name: getattr(threshold, name) for name in ("settings", "hold", "recover")}}
        if args and args[0] == AS_IT_IS:
            settings = json.dumps(threshold.settings)
            waits = {name: duration_text(getattr(threshold, name)) for name in ("hold", "recover")}
            args = ({"days": "30", "settings": settings, **waits},)
        super().__init__(*args, **{**options, "initial": initial})
        self.threshold = threshold

    def changed_rule(self) -> Rule | None:
        """The rule with what was changed, None when nothing was; faults are added to the form."""
        values = {name: self.cleaned_data[name] for name in ("settings", "hold", "recover")}
        values = {name: value if value is not None else timedelta(0) for name, value in values.items()}
        if all(getattr(self.threshold, name) == value for name, value in values.items()):
            return None
        imagined = Threshold.objects.get(pk=self.threshold.pk)
        for name, value in values.items():
            setattr(imagined, name, value)
        try:
            validation.check(imagined)
        except ValidationError as error:
            for field, faults in error.error_dict.items():
                self.add_error(field if field in self.fields else None, list(faults))
            return None
        return rule_of(imagined)


def page(admin: Any, request: HttpRequest, threshold: Threshold) -> HttpResponse:
    """Show the form, and after it was sent what both forms of the threshold would have raised."""
    if not can(request, "view_configuration"):
        raise PermissionDenied
    form = BacktestForm(threshold, request.POST or AS_IT_IS)
    answer, changed = None, None
    if form.is_bound and form.is_valid():
        changed = form.changed_rule()
        if not form.errors:
            now = database_time()
            answer = compare(rule_of(threshold), changed, now - form.cleaned_data["days"] * 86_400.0, now)
    zone = request.tenant.time_zone  # type: ignore[attr-defined]
    voice = Voice(get_language() or "en", zone, moment(database_time()))
    context = {
        **admin.admin_site.each_context(request),
        "title": _("%(name)s on the past") % {"name": threshold.name},
        "opts": admin.opts,
        "threshold": threshold,
        "form": form,
        "answer": answer,
        "is_changed": changed is not None,
        "totals": _totals(answer, is_changed=changed is not None, voice=voice) if answer else [],
        "subjects": [
            _subject(one, rule_of(threshold), changed, answer, voice) for one in (answer.subjects if answer else [])
        ],
        "chart_options": json.dumps(OPTIONS),
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "admin/metrics/backtest.html", context)


def _totals(answer: Comparison, *, is_changed: bool, voice: Voice) -> list[dict[str, Any]]:
    rows = [("now", _("as it is"), "blue"), *([("changed", _("as changed"), "orange")] if is_changed else [])]
    found = [
        {
            "title": title,
            "tone": tone,
            "alerts": answer.total(which),
            "firing": duration_text(timedelta(seconds=round(answer.firing(which)))) or "0s",
        }
        for which, title, tone in rows
    ]
    return [*found, {"title": _("as it was"), "tone": "grey", "alerts": answer.total("was"), "firing": ""}]


def _subject(
    one: Compared, rule: Rule, changed: Rule | None, answer: Comparison | None, voice: Voice
) -> dict[str, Any]:
    start, end = (answer.start, answer.end) if answer else (0.0, 0.0)
    plot = Plot(start if not len(one.at) else max(start, float(one.at[0]) - 60.0), end)
    plot.line(_("value"), one.at, one.value, BLUE)
    _limits(plot, rule, _("limit"), RED)
    if changed is not None:
        _limits(plot, changed, _("changed limit"), "#ea580c")
    shown = one.changed or one.now
    plot.band(_("usual"), one.at, shown.low, shown.high)
    plot.stretches(_("as it is"), _spans(one.now, end), "blue", (0.66, 1))
    if one.changed is not None:
        plot.stretches(_("as changed"), _spans(one.changed, end), "orange", (0.33, 0.66))
    was = [(was.began, was.ended if was.ended is not None else end) for was in one.was]
    plot.stretches(_("as it was"), was, "grey", (0, 0.33))
    return {
        "metric": one.metric,
        "labels": label_chips(dict(one.labels), most=8),
        "samples": one.samples,
        "chart": plot.data(),
        "now": _listed(one.now, one.unit, voice),
        "changed": _listed(one.changed, one.unit, voice) if one.changed is not None else None,
        "was": [{"title": was.title, "at": voice.when(moment(was.began), "full")} for was in one.was[:MOST_LISTED]],
        "was_count": len(one.was),
    }


def _limits(plot: Plot, rule: Rule, name: str, colour: str) -> None:
    if isinstance(rule.condition, Bounds):
        for limit in (rule.condition.above, rule.condition.below):
            if limit is not None:
                plot.limit(name, limit, colour)


def _spans(replay: Replay, end: float) -> Iterable[tuple[float, float]]:
    return [(one.raised, one.ended if one.ended is not None else end) for one in replay.found]


def _listed(replay: Replay, unit: str, voice: Voice) -> dict[str, Any]:
    lines = [
        {
            "at": voice.when(moment(one.raised), "full"),
            "lasted": duration_text(timedelta(seconds=round(one.ended - one.raised))) if one.ended else _("goes on"),
            "peak": voice.unit(one.peak, unit) if one.peak is not None else "–",
        }
        for one in replay.found[:MOST_LISTED]
    ]
    return {"lines": lines, "count": len(replay.found)}
