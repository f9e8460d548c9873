"""Addresses of the REST API of this app."""

from channels.api.deliveries import DeliveryViewSet
from channels.api.views import ChannelViewSet, TemplateViewSet
from tenants.api.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("channels", ChannelViewSet, "channel")
router.register("templates", TemplateViewSet, "template")
router.register("deliveries", DeliveryViewSet, "delivery")

urlpatterns = router.urls
