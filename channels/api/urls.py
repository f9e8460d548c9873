"""Addresses of the REST API of this app."""

from django.urls import re_path

from channels.api.deliveries import DeliveryViewSet
from channels.api.limits import SharedLimitViewSet
from channels.api.paused import PausedAddressViewSet
from channels.api.phrases import PhraseViewSet
from channels.api.sms import SmsOptOutViewSet, SmsPlanViewSet
from channels.api.views import ChannelViewSet, TemplateViewSet
from tenants.api.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("channels", ChannelViewSet, "channel")
router.register("templates", TemplateViewSet, "template")
router.register("deliveries", DeliveryViewSet, "delivery")
router.register("shared-limits", SharedLimitViewSet, "shared-limit")
router.register("sms-opt-outs", SmsOptOutViewSet, "sms-opt-out")
router.register("paused-addresses", PausedAddressViewSet, "paused-address")
router.register("phrases", PhraseViewSet, "phrase")

urlpatterns = [
    re_path(r"^sms-plan/?$", SmsPlanViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="sms-plan"),
    *router.urls,
]
