"""REST reads of series: the list, one, its samples and its rollups over a range."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerting.api.alert_serializers import TextsField
from metrics.models import Series
from metrics.storage import chunks, reading, rows
from metrics.storage.buckets import Rollup
from tenants.api.filters import PERIOD, Filter, words
from tenants.api.problems import Problem
from tenants.api.query import integer
from tenants.api.views import ReadOnlyViewSet
from tenants.faults import ItemError

MOST_POINTS: Final = 11_000
#: A bucket is never wider than this, so that a range has a few at least.
WIDEST_STEP: Final = 31 * 86_400
DEFAULT_RANGE: Final = timedelta(hours=1)
MOST_QUANTILES: Final = 5


def _label(value: str) -> tuple[str, str]:
    name, sign, text = value.partition("=")
    if not sign or not name or "\0" in value:
        raise ValueError(_("must be a name, an equals sign and a value."))
    return name, text


def _share(value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = math.nan
    if not 0.0 <= share <= 1.0:
        raise ValueError(_("must be a number from 0 to 1."))
    return share


RANGE: Mapping[str, Filter] = PERIOD
LISTED: Mapping[str, Filter] = {
    "metric": words(256, gettext_lazy("Exactly this metric.")),
    "q": words(200, gettext_lazy("Text in the name of the metric, in any case.")),
    "label": Filter(
        _label, description=gettext_lazy("A label such as region=eu; several must all hold."), is_repeatable=True
    ),
}
ROLLED: Mapping[str, Filter] = {
    **RANGE,
    "step": Filter(
        integer(1, WIDEST_STEP),
        {"type": "integer", "minimum": 1, "maximum": WIDEST_STEP},
        gettext_lazy("Seconds of one bucket; made of the coarsest stored level that fits."),
    ),
    "quantile": Filter(
        _share,
        {"type": "number", "minimum": 0, "maximum": 1},
        gettext_lazy("A quantile to add to each bucket, such as 0.95; several are possible."),
        is_repeatable=True,
    ),
}


class SeriesOutput(serializers.ModelSerializer[Series]):
    """One series; `quality` is 1 for flawless data, `interval` the learned seconds between samples."""

    labels = TextsField()

    class Meta:
        model = Series
        fields = (
            "id",
            "metric",
            "labels",
            "unit",
            "kind",
            "catalogue_key",
            "first_at",
            "last_at",
            "last_value",
            "quality",
            "interval",
            "created_at",
        )


class SamplesOutput(serializers.Serializer[Any]):
    """Samples in the order of their times."""

    samples = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        help_text="Pairs of a time (seconds since 1970) and a value.",
    )


class BucketOutput(serializers.Serializer[Any]):
    """What was measured in one bucket."""

    at = serializers.FloatField(help_text="Its beginning, in seconds since 1970.")
    count = serializers.IntegerField()
    sum = serializers.FloatField()
    min = serializers.FloatField()
    max = serializers.FloatField()
    mean = serializers.FloatField()
    deviation = serializers.FloatField(help_text="Standard deviation.")
    quantiles = serializers.DictField(child=serializers.FloatField(), required=False)


class RollupsOutput(serializers.Serializer[Any]):
    """Buckets that hold samples, in the order of their times."""

    step = serializers.IntegerField()
    buckets = BucketOutput(many=True)


class SeriesViewSet(ReadOnlyViewSet):
    """Series and what was measured."""

    noun = "series"
    read_permission = "view_alerts"
    cursor_newest_first = True
    output_serializer = SeriesOutput
    filters = {"list": LISTED, "samples": RANGE, "rollups": ROLLED}

    def rows(self) -> QuerySet[Series]:
        found = Series.objects.all()
        if "metric" in self.query:
            found = found.filter(metric=self.query["metric"])
        if "q" in self.query:
            found = found.filter(metric__icontains=self.query["q"])
        if labels := self.query.get("label"):
            found = found.filter(labels__contains=dict(labels))
        return found

    @extend_schema(summary="List series")
    def list(self, request: Request) -> Response:
        """Newest first."""
        return super().list(request)

    @extend_schema(summary="Read the samples of a series", responses=SamplesOutput)
    @action(detail=True, methods=["get"])
    def samples(self, request: Request, id: str) -> Response:
        """From `since` (an hour ago) to before `until` (now)."""
        series: Series = self.get_object()
        start, end = self._range()
        _number, ms, values = chunks.read_range(
            series.tenant_id, [series.number], rows.milliseconds_of(start), rows.milliseconds_of(end)
        )
        if len(ms) > MOST_POINTS:
            raise _too_many(len(ms), "until")
        return Response({"samples": [list(pair) for pair in zip((ms / 1000).tolist(), values.tolist(), strict=True)]})

    @extend_schema(summary="Read the rollups of a series", responses=RollupsOutput)
    @action(detail=True, methods=["get"])
    def rollups(self, request: Request, id: str) -> Response:
        """From `since` (an hour ago) to before `until` (now), in buckets of `step` seconds (60)."""
        series: Series = self.get_object()
        start, end = self._range()
        step = self.query.get("step", 60)
        wanted = math.ceil((end - start).total_seconds() / step)
        if wanted > MOST_POINTS:
            raise _too_many(wanted, "step")
        shares = self.query.get("quantile", [])
        if len(shares) > MOST_QUANTILES:
            raise _refused("quantile", _("At most %(limit)d quantiles.") % {"limit": MOST_QUANTILES})
        found = reading.stepped(series.tenant_id, [series.number], step, start.timestamp(), end.timestamp())
        return Response({"step": step, "buckets": _buckets(found, shares)})

    def _range(self) -> tuple[datetime, datetime]:
        end: datetime = self.query.get("until") or timezone.now()
        start: datetime = self.query.get("since") or end - DEFAULT_RANGE
        if end <= start:
            raise _refused("until", _("The end of the range lies after its beginning."))
        return start, end


def _buckets(found: Rollup, shares: list[float]) -> list[dict[str, Any]]:
    arrays = reading.arrays(found)
    if not arrays:
        return []
    (only,) = arrays.values()
    columns = {
        "at": only.at.tolist(),
        "count": [int(count) for count in only.count],
        "sum": only.sum.tolist(),
        "min": only.min.tolist(),
        "max": only.max.tolist(),
        "mean": only.mean.tolist(),
        "deviation": (only.variance**0.5).tolist(),
    }
    buckets = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    quantiles = {f"{share:g}": found.quantile(share).tolist() for share in shares}
    for place, bucket in enumerate(buckets):
        if quantiles:
            bucket["quantiles"] = {share: values[place] for share, values in quantiles.items()}
    return buckets


def _too_many(count: int, parameter: str) -> Problem:
    message = _("The range holds %(count)d points; the limit is %(limit)d. Ask for less, or for wider steps.")
    return _refused(parameter, message % {"count": count, "limit": MOST_POINTS})


def _refused(parameter: str, message: str) -> Problem:
    text = f"{parameter}: {message}"
    return Problem("bad_query", text, errors=[ItemError(None, f"?{parameter}", "bad_parameter", text)])
