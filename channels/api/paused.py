"""REST door of the addresses that get no more mail: seen, and taken off."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from channels.mail import pausing
from channels.models import PausedAddress
from tenants.api.filters import words
from tenants.api.views import ConfigurationViewSet


class PausedAddressOutput(serializers.ModelSerializer[PausedAddress]):
    """An address, why it gets nothing, and what the provider said."""

    class Meta:
        model = PausedAddress
        fields = ("id", "address", "why", "detail", "paused_at")


class PausedAddressViewSet(ConfigurationViewSet):
    """Addresses whose mail came back or whose reader complained. Taking one off writes to it again."""

    model = PausedAddress
    noun = "paused address"
    http_method_names = ["get", "head", "options", "delete"]
    output_serializer = PausedAddressOutput
    filters = {"list": {"address": words(320)}}

    def rows(self) -> QuerySet[PausedAddress]:
        wanted = self.query.get("address") if self.action == "list" else None
        rows = PausedAddress._default_manager.all()
        return rows.filter(address=wanted.lower()) if wanted else rows

    def remove(self, instance: Any) -> None:
        pausing.resume(self.principal, instance)
