"""REST door of the limits that channels share: of the tenant, of a Slack workspace, of a mail server."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import WHOLE_TENANT, SharedLimit
from tenants.api.inputs import StrictModelSerializer
from tenants.api.views import ConfigurationViewSet, ReadOnlyViewSet

MAX_RATE = 1_000_000


class SharedLimitInput(StrictModelSerializer):
    """How many messages a minute; null for what is usual."""

    rate_per_minute = serializers.IntegerField(min_value=1, max_value=MAX_RATE, allow_null=True)

    class Meta:
        model = SharedLimit
        fields = ("rate_per_minute",)


class SharedLimitOutput(serializers.ModelSerializer[SharedLimit]):
    """A limit, with until when the provider asked all its channels to wait."""

    is_whole_tenant = serializers.SerializerMethodField()

    class Meta:
        model = SharedLimit
        fields = (
            "id",
            "is_whole_tenant",
            "kind",
            "detail",
            "rate_per_minute",
            "usual_per_minute",
            "blocked_until",
            "blocked_reason",
        )

    def get_is_whole_tenant(self, limit: SharedLimit) -> bool:
        return limit.key == WHOLE_TENANT


class SharedLimitViewSet(ConfigurationViewSet):
    """Shared limits come about with the first message of a channel; what they let through can be changed."""

    model = SharedLimit
    noun = "shared limit"
    http_method_names = ["get", "head", "options", "patch"]
    input_serializer = SharedLimitInput
    output_serializer = SharedLimitOutput

    @extend_schema(summary="List the shared limits", responses=SharedLimitOutput(many=True))
    def list(self, request: Request) -> Response:
        """Each also counts against the channel's own rate; what one of them holds back waits, and is never dropped."""
        return ReadOnlyViewSet.list(self, request)
