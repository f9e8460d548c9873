"""What goes in and out for thresholds, findings and backtests."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerting.api.fields import MatchersField, SeverityField
from metrics.api.numbers import Numbers
from metrics.backtest.compare import MOST_SUBJECTS, Compared, Comparison, Replay
from metrics.judging.states import moment
from metrics.models import Feedback, Finding, MetricsPolicy, Threshold, Verdict
from metrics.trust.precision import Precision
from tenants.api.inputs import SecondsField, StrictModelSerializer, StrictSerializer
from tenants.api.wording import OTHER

OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": True}
LABELS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}


@extend_schema_field(OBJECT)
class ObjectField(serializers.Field[Any, Any, Any, Any]):
    """A JSON object whose form depends on something else; the whole row is judged later."""

    takes = gettext_lazy("an object")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError(OTHER % {"wanted": self.takes}, "type")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


THRESHOLD_FIELDS = (
    *("name", "kind", "metric", "matchers", "settings", "hold", "recover", "severity", "paging"),
    *("labels", "runbook_url", "is_active"),
)


class ThresholdInput(StrictModelSerializer):
    """A condition on series; what `settings` holds depends on `kind` (see the guide of thresholds)."""

    matchers = MatchersField(required=False)
    settings = ObjectField(required=False)
    labels = ObjectField(required=False)
    hold = SecondsField(required=False)
    recover = SecondsField(required=False)
    severity = SeverityField(required=False)

    class Meta:
        model = Threshold
        fields = THRESHOLD_FIELDS


class ThresholdOutput(serializers.ModelSerializer[Threshold]):
    """A condition on series."""

    matchers = MatchersField()
    settings = ObjectField()
    labels = serializers.DictField(child=serializers.CharField())
    hold = SecondsField()
    recover = SecondsField()
    severity = SeverityField()

    class Meta:
        model = Threshold
        fields = ("id", *THRESHOLD_FIELDS, "adjustment", "created_at")


class FindingOutput(serializers.ModelSerializer[Finding]):
    """One time something was found, and why."""

    threshold = serializers.UUIDField(source="threshold_id")
    series = serializers.UUIDField(source="series_id", allow_null=True)
    labels = serializers.DictField(child=serializers.CharField())
    severity = SeverityField()
    why = ObjectField(help_text="Strongest features, season, forecast: what its kind knows.")
    causes = serializers.ListField(child=ObjectField(), help_text="Series that moved with it or before it.")

    class Meta:
        model = Finding
        fields = (
            *("id", "threshold", "series", "kind", "metric", "labels", "unit", "severity", "began_at", "raised_at"),
            *("ended_at", "ended_because", "value", "expected", "low", "high", "limit", "score", "confidence"),
            *("quality", "why", "causes", "is_told", "told_because"),
        )


class FeedbackInput(StrictSerializer):
    """What a person thinks of a finding."""

    verdict = serializers.ChoiceField(Verdict.choices)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)


class FeedbackOutput(serializers.ModelSerializer[Feedback]):
    """A verdict."""

    finding = serializers.UUIDField(source="finding_id")

    class Meta:
        model = Feedback
        fields = ("id", "finding", "verdict", "actor", "note", "at")


class PrecisionOutput(serializers.Serializer[Precision]):
    """How far a threshold can be trusted."""

    useful = serializers.FloatField(help_text="Verdicts for it; half a one for each that the past gives.")
    noise = serializers.FloatField()
    share = serializers.FloatField(allow_null=True, help_text="The part that was useful.")
    proven = serializers.FloatField(help_text="The precision that these verdicts prove.")
    floor = serializers.FloatField(help_text="What the tenant asks of it.")
    least = serializers.FloatField(help_text="How many verdicts it takes.")
    is_enough = serializers.BooleanField()


class OutcomeOutput(serializers.Serializer[Any]):
    """What became of the alerts of a threshold in thirty days, and what might be changed."""

    told = serializers.IntegerField()
    acted_on = serializers.IntegerField(help_text="Acknowledged, assigned or resolved by a person.")
    ignored = serializers.IntegerField(help_text="Over without anybody having done anything.")
    open = serializers.IntegerField()
    suggestions = serializers.ListField(child=ObjectField())


class TrustOutput(serializers.Serializer[Any]):
    """What verdicts prove of a threshold, and what happened to its alerts."""

    precision = PrecisionOutput()
    outcomes = OutcomeOutput()


class DetectionSettingsInput(StrictModelSerializer):
    """A tenant's choices about what is found."""

    class Meta:
        model = MetricsPolicy
        fields = ("precision_floor", "least_judged", "sensitivity", "holidays")


class DetectionSettingsOutput(serializers.ModelSerializer[MetricsPolicy]):
    """A tenant's choices about what is found."""

    class Meta:
        model = MetricsPolicy
        fields = ("precision_floor", "least_judged", "sensitivity", "holidays")


class ChangesInput(StrictSerializer):
    """What to change in a threshold for the time of a backtest."""

    kind = serializers.CharField(max_length=12, required=False)
    metric = serializers.CharField(max_length=256, required=False, allow_blank=True)
    matchers = MatchersField(required=False)
    settings = ObjectField(required=False)
    hold = SecondsField(required=False)
    recover = SecondsField(required=False)


class BacktestInput(StrictSerializer):
    """Over which time, and which change is to be tried beside the threshold as it is."""

    since = serializers.DateTimeField(required=False, help_text="Thirty days before `until` unless given.")
    until = serializers.DateTimeField(required=False, help_text="Now unless given.")
    changes = ChangesInput(required=False)
    series = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=MOST_SUBJECTS, help_text="Only these."
    )


class EpisodeOutput(serializers.Serializer[Any]):
    """An alert that would have been."""

    began_at = serializers.DateTimeField()
    raised_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    value = serializers.FloatField(allow_null=True)
    peak = serializers.FloatField(allow_null=True)
    score = serializers.FloatField(allow_null=True)


class ReplayOutput(serializers.Serializer[Any]):
    """A series under one form of the threshold."""

    alerts = EpisodeOutput(many=True)
    firing_seconds = serializers.FloatField()
    low = Numbers(allow_null=True)
    high = Numbers(allow_null=True)


class WasOutput(serializers.Serializer[Any]):
    """What really was told."""

    title = serializers.CharField()
    began_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    is_own = serializers.BooleanField(help_text="Of this threshold, not another alert with the same labels.")


class ReplayedSeriesOutput(serializers.Serializer[Any]):
    """One series (or several that share labels), drawn and judged."""

    metric = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())
    unit = serializers.CharField()
    samples = serializers.IntegerField()
    at = Numbers(help_text="Times of the points to draw, in seconds since 1970.")
    value = Numbers()
    now = ReplayOutput()
    changed = ReplayOutput(allow_null=True)
    was = WasOutput(many=True)


class BacktestOutput(serializers.Serializer[Any]):
    """Which alerts there would have been, beside those that were."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    matching = serializers.IntegerField(help_text="How many series match; only the first ones are looked at.")
    seconds = serializers.FloatField()
    alerts_now = serializers.IntegerField()
    alerts_changed = serializers.IntegerField(allow_null=True)
    alerts_were = serializers.IntegerField()
    subjects = ReplayedSeriesOutput(many=True)


def backtest_answer(answer: Comparison, *, is_changed: bool) -> dict[str, Any]:
    """A comparison as the API says it."""
    return {
        "since": moment(answer.start),
        "until": moment(answer.end),
        "matching": answer.matching,
        "seconds": round(answer.seconds, 3),
        "alerts_now": answer.total("now"),
        "alerts_changed": answer.total("changed") if is_changed else None,
        "alerts_were": answer.total("was"),
        "subjects": [_subject(one) for one in answer.subjects],
    }


def _subject(one: Compared) -> dict[str, Any]:
    was = [
        {"title": was.title, "began_at": moment(was.began), "ended_at": _moment(was.ended), "is_own": was.is_own}
        for was in one.was
    ]
    return {
        **{name: getattr(one, name) for name in ("metric", "labels", "unit", "samples", "at", "value")},
        "now": _replay(one.now),
        "changed": _replay(one.changed) if one.changed is not None else None,
        "was": was,
    }


def _replay(replay: Replay) -> dict[str, Any]:
    alerts = [
        {
            "began_at": moment(found.began),
            "raised_at": moment(found.raised),
            "ended_at": _moment(found.ended),
            "value": found.evidence.value,
            "peak": found.peak,
            "score": found.evidence.score,
        }
        for found in replay.found
    ]
    return {"alerts": alerts, "firing_seconds": replay.firing_seconds, "low": replay.low, "high": replay.high}


def _moment(at: float | None) -> Any:
    return moment(at) if at is not None else None
