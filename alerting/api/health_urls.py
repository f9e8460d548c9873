"""Addresses that load balancers and supervisors ask; no key needed."""

from django.urls import path

from alerting.api.health import live, ready

urlpatterns = [path("live", live, name="health-live"), path("ready", ready, name="health-ready")]
