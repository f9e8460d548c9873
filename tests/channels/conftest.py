"""Channels whose provider lives in the test."""

import pytest

from tenants.models import Tenant
from tests.channels.deliveries import ADAPTERS, PROVIDER, Provider
from tests.factories import make_tenant


@pytest.fixture
def provider(settings) -> Provider:
    """Make the kinds findable, blind and idempotent known, and return what they all talk to."""
    settings.CHANNEL_ADAPTERS = [*settings.CHANNEL_ADAPTERS, *ADAPTERS]
    PROVIDER.reset()
    return PROVIDER


@pytest.fixture
def tenant(provider: Provider) -> Tenant:
    """A tenant whose channels lead to that provider."""
    return make_tenant()
