"""REST doors of the metric catalogue and of what a tenant has of it."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from metrics.catalogue import Entry, entries, entry, texts
from metrics.catalogue.choosing import switch_off, switch_on
from metrics.collectors.base import METRIC_NAME
from metrics.drift.computing import settings_fault
from metrics.models import MetricChoice
from tenants.api.inputs import StrictModelSerializer
from tenants.api.views import ConfigurationViewSet, TenantViewSet


class DefaultThresholdOutput(serializers.Serializer[Any]):
    """A threshold that comes with a metric."""

    kind = serializers.CharField()
    settings = serializers.DictField()
    severity = serializers.CharField()
    hold = serializers.CharField()
    paging = serializers.CharField()


class EntryOutput(serializers.Serializer[Any]):
    """A built-in metric; `choice` is the id of the tenant's choice of it, null while it is off."""

    key = serializers.CharField()
    area = serializers.CharField()
    metric = serializers.CharField()
    unit = serializers.CharField()
    direction = serializers.CharField()
    aggregation = serializers.CharField()
    period = serializers.CharField()
    labels = serializers.ListField(child=serializers.CharField())
    least = serializers.FloatField(allow_null=True)
    most = serializers.FloatField(allow_null=True)
    computed = serializers.CharField(allow_blank=True)
    thresholds = DefaultThresholdOutput(many=True)
    name = serializers.CharField()
    about = serializers.CharField()
    trouble = serializers.CharField()
    action = serializers.CharField()
    choice = serializers.UUIDField(allow_null=True)


#: What of it the catalogue itself says, and not its texts or the tenant.
ENTRY_FIELDS = tuple(name for name in Entry.__struct_fields__ if name in EntryOutput().fields)


class ChoiceInput(StrictModelSerializer):
    """A metric of the catalogue and the name that the tenant's series of it have; empty: the usual one."""

    metric = serializers.CharField(max_length=256, required=False, allow_blank=True)
    settings = serializers.DictField(required=False)

    class Meta:
        model = MetricChoice
        fields = ("key", "metric", "settings")


class ChoiceOutput(serializers.ModelSerializer[MetricChoice]):
    """A metric that is switched on."""

    settings = serializers.DictField()

    class Meta:
        model = MetricChoice
        fields = ("id", "key", "metric", "settings", "created_at")


@extend_schema_view(list=extend_schema(summary="List the metric catalogue", responses={200: EntryOutput(many=True)}))
class CatalogueViewSet(TenantViewSet):
    """The built-in metrics, with texts in the reader's language."""

    noun = "metric of the catalogue"
    read_permission = "view_configuration"
    paged = frozenset()
    pagination_class = None

    def list(self, request: Request) -> Response:
        """Every built-in metric, in a fixed order."""
        chosen = dict(MetricChoice.objects.values_list("key", "pk"))
        return Response([_entry(one, chosen.get(key)) for key, one in entries().items()])


class ChoiceViewSet(ConfigurationViewSet):
    """Chosen metrics: what a tenant has of the catalogue, with thresholds to begin with."""

    model = MetricChoice
    noun = "chosen metric"
    input_serializer = ChoiceInput
    output_serializer = ChoiceOutput

    def store(self, instance: Any, values: dict[str, Any]) -> None:
        is_new = instance._state.adding
        for name, value in values.items():
            setattr(instance, name, value)
        self._judge(instance, values, is_new=is_new)
        made = switch_on(self.principal, instance.key, instance.metric, settings=instance.settings)
        instance.pk = made.pk

    def remove(self, instance: Any) -> None:
        switch_off(self.principal, instance)

    def _judge(self, choice: MetricChoice, values: dict[str, Any], *, is_new: bool) -> None:
        known = entry(choice.key)
        if known is None:
            raise serializers.ValidationError({"key": [_("The catalogue has no such metric.")]})
        if not is_new and values.get("key", choice.key) != MetricChoice.objects.get(pk=choice.pk).key:
            raise serializers.ValidationError({"key": [_("A chosen metric stays what it is; choose another one.")]})
        others = MetricChoice.objects.exclude(pk=choice.pk)
        choice.metric = choice.metric or known.metric
        if is_new and others.filter(key=choice.key).exists():
            raise serializers.ValidationError({"key": [_("This metric is switched on already.")]})
        if not METRIC_NAME.fullmatch(choice.metric):
            fault = _("%(name)s is not a name for a metric.") % {"name": choice.metric[:80]}
            raise serializers.ValidationError({"metric": [fault]})
        if others.filter(metric=choice.metric).exists():
            raise serializers.ValidationError({"metric": [_("Another metric uses this name of series already.")]})
        if fault := settings_fault(choice.key, choice.settings):
            raise serializers.ValidationError({"settings": [fault]})


def _entry(one: Entry, choice: Any) -> dict[str, Any]:
    said = texts(one.key)
    known = {name: getattr(one, name) for name in ENTRY_FIELDS}
    words = {"name": said.name, "about": said.about, "trouble": said.trouble, "action": said.action}
    output: dict[str, Any] = EntryOutput(known | words | {"choice": choice}).data
    return output
