"""Addresses of the REST API of this app."""

from tenants.api.routers import OptionalSlashRouter

router = OptionalSlashRouter()

urlpatterns = router.urls
