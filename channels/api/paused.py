"""REST door of the addresses that get no more mail: seen, added by whoever knows of a bounce, and taken off."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from channels.mail import pausing
from channels.models import PausedAddress
from tenants.api.filters import words
from tenants.api.inputs import StrictModelSerializer
from tenants.api.views import ConfigurationViewSet


class PausedAddressInput(StrictModelSerializer):
    """An address that is dead, as a mail provider told somebody whose news are not read here."""

    address = serializers.EmailField(max_length=320)

    class Meta:
        model = PausedAddress
        fields = ("address", "why", "detail")


class PausedAddressOutput(serializers.ModelSerializer[PausedAddress]):
    """An address, why it gets nothing, and what the provider said."""

    class Meta:
        model = PausedAddress
        fields = ("id", "address", "why", "detail", "paused_at")


class PausedAddressViewSet(ConfigurationViewSet):
    """Addresses whose mail came back or whose reader complained. Taking one off writes to it again."""

    model = PausedAddress
    noun = "paused address"
    http_method_names = ["get", "head", "options", "post", "delete"]
    input_serializer = PausedAddressInput
    output_serializer = PausedAddressOutput
    filters = {"list": {"address": words(320)}}

    def rows(self) -> QuerySet[PausedAddress]:
        wanted = self.query.get("address") if self.action == "list" else None
        rows = PausedAddress._default_manager.all()
        return rows.filter(address=wanted.lower()) if wanted else rows

    def create(self, request: Request) -> Response:
        values = self.accept(PausedAddressInput)
        is_new = pausing.pause(values["address"], values["why"], values.get("detail", ""), self.principal)
        row = PausedAddress._default_manager.get(address=values["address"].lower())
        return self.answer(row, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    def remove(self, instance: Any) -> None:
        pausing.resume(self.principal, instance)
