"""The channels app: how people are told."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsConfig(AppConfig):
    name = "channels"
    verbose_name = _("Channels and deliveries")

    def ready(self) -> None:
        from channels import checks  # noqa: F401  (registers the deployment check)
