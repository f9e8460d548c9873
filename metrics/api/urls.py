"""Addresses of the REST API of this app."""

from django.urls import URLPattern, URLResolver, re_path

from metrics.api.charts import finding_chart
from metrics.api.intake import PushView, RemoteWriteView

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^charts/(?P<token>[\w.-]+)\.png$", finding_chart, name="finding-chart"),
    re_path(r"^metrics/?$", PushView.as_view(), name="metrics-send"),
    re_path(r"^metrics/remote-write/?$", RemoteWriteView.as_view(), name="metrics-remote-write"),
]
