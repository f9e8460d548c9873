"""REST doors of silences: make one, see what it would mute, end it."""

from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerting import validation
from alerting.api.alert_serializers import AlertOutput
from alerting.api.fields import MatchersField
from alerting.matchers import from_json, matches_everything
from alerting.models import Silence
from alerting.muting import SilenceState, state_of
from alerting.selectors import Muting, preview_silence
from alerting.silencing import create_silence, expire_silence
from channels.selectors import database_now
from tenants.api.filters import choice
from tenants.api.inputs import StrictModelSerializer, StrictSerializer, clean_instance
from tenants.api.views import ConfigurationViewSet
from tenants.models import Tenant


class SilenceInput(StrictModelSerializer):
    """A silence. `confirm` is the tenant's slug, asked for when it would mute everything."""

    matchers = MatchersField(min_length=1)
    starts_at = serializers.DateTimeField(required=False)
    confirm = serializers.CharField(required=False, max_length=63, write_only=True)

    class Meta:
        model = Silence
        fields = ("matchers", "starts_at", "ends_at", "comment", "confirm")


class SilenceOutput(serializers.ModelSerializer[Silence]):
    """A silence; its state follows from its times."""

    matchers = MatchersField()
    state = serializers.SerializerMethodField()

    class Meta:
        model = Silence
        fields = ("id", "matchers", "starts_at", "ends_at", "author", "comment", "created_at", "state")

    @extend_schema_field({"type": "string", "enum": [state.value for state in SilenceState]})
    def get_state(self, silence: Silence) -> str:
        now: datetime = getattr(silence, "now", None) or database_now()
        return state_of(silence.starts_at, silence.ends_at, now).value


class SilencePreviewInput(StrictSerializer):
    """The matchers of a silence that does not exist yet."""

    matchers = MatchersField()


class MutingOutput(serializers.Serializer[Muting]):
    """What the matchers catch."""

    count = serializers.IntegerField()
    is_partial = serializers.BooleanField(help_text="There were too many alerts to look at all of them.")
    alerts = AlertOutput(many=True, help_text="Up to ten of them.")


class SilencePreviewOutput(serializers.Serializer[Any]):
    """What a silence would mute now and would have muted in the last seven days."""

    mutes_everything = serializers.BooleanField()
    now = MutingOutput()
    last_week = MutingOutput()
    deliveries_last_week = serializers.IntegerField(
        help_text="Messages of the last seven days about groups that hold such alerts."
    )


_STATES = {
    "pending": Q(starts_at__gt=F("now")),
    "active": Q(starts_at__lte=F("now"), ends_at__gt=F("now")),
    "expired": Q(ends_at__lte=F("now")),
}


class SilenceViewSet(ConfigurationViewSet):
    """Silences mute matching alerts for a time."""

    model = Silence
    noun = "silence"
    read_permission = "view_alerts"
    write_permission = "act_on_alerts"
    action_permissions = {"preview": "view_alerts"}
    cursor_newest_first = True
    http_method_names = ["get", "post", "delete", "head", "options"]
    input_serializer = SilenceInput
    output_serializer = SilenceOutput
    filters = {"list": {"state": choice(*(state.value for state in SilenceState))}}

    def rows(self) -> QuerySet[Silence]:
        from django.db.models import DateTimeField, Func

        now = Func(function="statement_timestamp", output_field=DateTimeField())
        rows = Silence._default_manager.annotate(now=now)
        state = self.query.get("state")
        return rows.filter(_STATES[state]) if state else rows

    def store(self, instance: Any, values: dict[str, Any]) -> None:
        confirm = values.pop("confirm", "")
        values.setdefault("starts_at", database_now())
        for name, value in values.items():
            setattr(instance, name, value)
        clean_instance(instance, validation.check)
        if validation.needs_confirmation(instance):
            self._check_confirmed(confirm)
        create_silence(self.principal, instance)

    def _check_confirmed(self, confirm: str) -> None:
        slug = Tenant.objects.values_list("slug", flat=True).get(pk=self.principal.tenant_id)
        if confirm != slug:
            message = _("This silence mutes everything. To confirm, send the tenant's slug, %(slug)s, as confirm.")
            raise serializers.ValidationError({"confirm": [message % {"slug": slug}]}, "confirm")

    def remove(self, instance: Any) -> None:
        expire_silence(self.principal, instance)

    @extend_schema(summary="Expire a silence", responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """End it now. One that has not begun is taken back; one that is over stays as it is."""
        return super().destroy(request, id)

    @extend_schema(
        summary="See what a silence would mute", request=SilencePreviewInput, responses={200: SilencePreviewOutput}
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Judges the alerts that fire now and those of the last seven days."""
        matchers = from_json(self.accept(SilencePreviewInput)["matchers"])
        found = preview_silence(matchers)
        whole = {
            "mutes_everything": matches_everything(matchers),
            "now": found.now,
            "last_week": found.last_week,
            "deliveries_last_week": found.deliveries_last_week,
        }
        return Response(SilencePreviewOutput(whole).data, status=status.HTTP_200_OK)
