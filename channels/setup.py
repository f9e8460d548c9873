"""What people do with channels that are set up: test them."""

from uuid import UUID

from django.utils.translation import gettext as _

from channels import trial
from channels.errors import InvalidSettings
from channels.models import Channel
from tenants.context import tenant_context
from tenants.principal import Principal


def send_test(principal: Principal, channel: Channel) -> UUID:
    """Queue a test message to each recipient of the channel; returns the id of the first one's delivery.

    It goes the way of every other message. What the provider said is in the attempt log.
    """
    principal.require("change_configuration")
    if not channel.is_active:
        raise InvalidSettings({"is_active": _("Switch the channel on before you test it.")})
    with tenant_context(principal.tenant_id):
        return trial.send_test(principal, channel)[0]
