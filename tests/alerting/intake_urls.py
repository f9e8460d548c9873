"""The API's addresses of alerting alone, for tests that need neither pages nor other apps."""

from django.urls import include, path

handler400 = "tenants.api.handlers.bad_request"
handler404 = "tenants.api.handlers.not_found"
handler500 = "tenants.api.handlers.server_error"

urlpatterns = [path("api/v1/", include("alerting.api.urls"))]
