"""REST doors of members' contacts and notification rules: one's own, or with the right to configure, anybody's."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerting import validation
from alerting.api.oncall_bodies import MemberField
from alerting.models import ContactMethod, NotificationRule
from alerting.oncall.contacts import TooSoon, send_code, verify
from channels.models import Channel
from tenants.api.filters import row_id
from tenants.api.inputs import NoInput, RowField, SecondsField, StrictModelSerializer, StrictSerializer
from tenants.api.problems import Problem
from tenants.api.views import ConfigurationViewSet


class ContactInput(StrictModelSerializer):
    """An address of a member, and the channel messages go there through."""

    person = MemberField()
    channel = RowField(Channel)

    class Meta:
        model = ContactMethod
        fields = ("person", "channel", "address")


class ContactOutput(serializers.ModelSerializer[ContactMethod]):
    """A contact; only a verified one is used."""

    person = serializers.UUIDField(source="person_id")
    channel = serializers.UUIDField(source="channel_id")

    class Meta:
        model = ContactMethod
        fields = ("id", *ContactInput.Meta.fields, "verified_at", "created_at")


class CodeInput(StrictSerializer):
    """The code that was sent to the address."""

    code = serializers.CharField(max_length=12)


class VerifiedOutput(serializers.Serializer[Any]):
    """Whether the code was right, and why not."""

    is_verified = serializers.BooleanField()
    detail = serializers.CharField()


class RuleInput(StrictModelSerializer):
    """Tell a person at a contact, so many seconds after a level called them."""

    person = MemberField()
    contact = RowField(ContactMethod)
    wait = SecondsField(highest=12 * 3600)

    class Meta:
        model = NotificationRule
        fields = ("person", "importance", "wait", "contact")


class RuleOutput(serializers.ModelSerializer[NotificationRule]):
    """A step of how a member is told."""

    person = serializers.UUIDField(source="person_id")
    contact = serializers.UUIDField(source="contact_id")
    wait = SecondsField()

    class Meta:
        model = NotificationRule
        fields = ("id", *RuleInput.Meta.fields)


class _OwnViewSet(ConfigurationViewSet):
    """Rows of people: their own need no more than the right to act."""

    read_permission = "view_alerts"
    write_permission = "act_on_alerts"
    filters = {"list": {"person": row_id("Only of this person.")}}

    def rows(self) -> QuerySet[Any]:
        rows = super().rows()
        person = self.query.get("person")
        return rows.filter(person_id=person) if person else rows

    def check(self, instance: Any) -> None:
        self.require_own(instance)
        validation.check(instance)

    def remove(self, instance: Any) -> None:
        self.require_own(instance)
        super().remove(instance)

    def require_own(self, instance: Any) -> None:
        """Refuse what is somebody else's to whoever may not configure."""
        if self.principal.kind != "member" or self.principal.id != str(instance.person_id):
            self.principal.require("change_configuration")


class ContactViewSet(_OwnViewSet):
    """How members are reached."""

    model = ContactMethod
    noun = "contact"
    input_serializer = ContactInput
    output_serializer = ContactOutput

    def store(self, instance: Any, values: dict[str, Any]) -> None:
        if not instance._state.adding:
            self.require_own(instance)
        changes = {name for name, value in values.items() if getattr(instance, name, None) != value}
        if not instance._state.adding and changes:
            # Another address, or another way there, is not proven.
            instance.verified_at = instance.code_digest = instance.code_until = None
        super().store(instance, values)

    @extend_schema(summary="Send a code to a contact", request=NoInput, responses={202: None})
    @action(detail=True, methods=["post"])
    def send_code(self, request: Request, id: str) -> Response:
        """Six digits, good for fifteen minutes; at most one in thirty seconds."""
        self.accept(NoInput)
        contact = self.get_object()
        self.require_own(contact)
        try:
            send_code(self.principal, contact)
        except TooSoon as error:
            raise Problem("conflict", str(error)) from error
        return Response(status=status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Verify a contact", request=CodeInput, responses=VerifiedOutput)
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, id: str) -> Response:
        """Give back the code; after five wrong ones a new one is needed."""
        contact = self.get_object()
        self.require_own(contact)
        refused = verify(self.principal, contact, self.accept(CodeInput)["code"])
        data = {"is_verified": not refused, "detail": refused or _("The address is verified.")}
        return Response(VerifiedOutput(data).data)


class RuleViewSet(_OwnViewSet):
    """In which order members are told."""

    model = NotificationRule
    noun = "notification rule"
    input_serializer = RuleInput
    output_serializer = RuleOutput

    def store(self, instance: Any, values: dict[str, Any]) -> None:
        if not instance._state.adding:
            self.require_own(instance)
        super().store(instance, values)
