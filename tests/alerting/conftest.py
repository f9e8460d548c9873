"""What tests of alerting start from, unless they make a scene of their own."""

import pytest

from tests.alerting.scenes import Scene


@pytest.fixture
def scene() -> Scene:
    """A tenant with one channel that everything is routed to, and nothing that waits."""
    scene = Scene()
    scene.route(scene.channel())
    scene.flush()
    return scene
