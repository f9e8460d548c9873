"""The button "send a test": a real delivery, watched until the provider has answered, told in words."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from channels import setup
from channels.admin.describing import attempt_lines, state_chip
from channels.errors import InvalidSettings
from channels.models import OPEN_STATES, Channel, Delivery
from tenants.principal import Principal

# After so many seconds without an answer the page stops asking and says where to look.
PATIENCE = 45


def begin_test(request: HttpRequest, principal: Principal, channel: Channel) -> HttpResponse:
    """Queue a test message and show that it is on its way."""
    try:
        delivery_id = setup.send_test(principal, channel)
    except InvalidSettings as error:
        return render(request, "admin/channels/parts/test_result.html", {"faults": list(error.errors.values())})
    return show_test(request, channel, delivery_id)


def show_test(request: HttpRequest, channel: Channel, delivery_id: UUID) -> HttpResponse:
    """Show how a test stands; the fragment asks again while it is open."""
    delivery = Delivery._default_manager.filter(pk=delivery_id, channel=channel).first()
    if delivery is None:
        return render(request, "admin/channels/parts/test_result.html", {"faults": [""]})
    waited = (timezone.now() - delivery.created_at).total_seconds()
    is_open = delivery.state in OPEN_STATES
    context: dict[str, Any] = {
        "delivery": delivery,
        "state": state_chip(delivery),
        "lines": attempt_lines([delivery]).get(delivery.pk, []),
        "poll": is_open and waited < PATIENCE,
        "gave_up": is_open and waited >= PATIENCE,
        "again": reverse("admin:channels_channel_test_answer", args=[channel.pk, delivery.pk]),
    }
    return render(request, "admin/channels/parts/test_result.html", context)
