"""Channels whose provider lives in the test."""

import pytest

from tests.channels.deliveries import ADAPTERS, PROVIDER, Provider


@pytest.fixture
def provider(settings) -> Provider:
    """Make the kinds findable, blind and idempotent known, and return what they all talk to."""
    settings.CHANNEL_ADAPTERS = [*settings.CHANNEL_ADAPTERS, *ADAPTERS]
    PROVIDER.reset()
    return PROVIDER
