"""Every address of the service, one include an app."""

from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from alerting.admin.site import site
from alerting.api.health import metrics
from tenants.api.problem_page import problem_kinds

handler400 = "tenants.api.handlers.bad_request"
handler403 = "tenants.api.handlers.permission_denied"
handler404 = "tenants.api.handlers.not_found"
handler500 = "tenants.api.handlers.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("metrics", metrics, name="metrics"),
    path("health/", include("alerting.api.health_urls")),
    path("admin/", site.urls),
    path("", include("alerting.api.callbacks")),
    path("", include("alerting.api.slack")),
    path("", include("alerting.api.mail")),
    path("docs/problems", problem_kinds, name="problem-kinds"),
    path("api/v1/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/v1/", include("tenants.api.urls")),
    path("api/v1/", include("channels.api.urls")),
    path("api/v1/", include("alerting.api.urls")),
    path("api/v1/", include("metrics.api.urls")),
]
