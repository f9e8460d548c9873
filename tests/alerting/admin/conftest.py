"""Two tenants full of rows: ours, and one whose marker must never be seen by us."""

from typing import Any

import pytest

from tests.alerting.admin.world import World, make_world

OURS, FOREIGN = "Ourmarker", "Foreignmarker"


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """Hash passwords quickly: each world has three people."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ours(db: None) -> World:
    return make_world(OURS)


@pytest.fixture
def foreign(db: None) -> World:
    return make_world(FOREIGN)
