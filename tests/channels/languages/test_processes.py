"""A change of words is heard in another process within a second: with Valkey, without it, and with one that hangs."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from channels.models import PhraseOverride
from config.up.layout import ROOT
from tenants.context import tenant_context
from tenants.models import Tenant
from tests.factories import make_tenant
from tests.servers import free_port

pytestmark = pytest.mark.usefixtures("committed_db")

LONGEST = 1.0


@pytest.fixture
def hanging() -> Iterator[str]:
    """Serve a Valkey that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@contextmanager
def listener(tenant: Tenant, address: str) -> Iterator[subprocess.Popen[str]]:
    """Start another process with a Valkey of ours or of nobody."""
    env = os.environ | {"REDIS_URL": address, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-m", "tests.channels.languages.listener", str(tenant.pk)]
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_heard(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for what the other process hears next; its own messages of the log are passed over."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            heard: dict[str, Any] = json.loads(line)
            return heard
    pytest.fail("The other process ended.")


def say(tenant: Tenant, text: str) -> float:
    """Commit other words; return when that was done."""
    with tenant_context(tenant.pk):
        PhraseOverride.objects.update_or_create(locale="fr", key="status.firing", defaults={"text": text})
    return time.monotonic()


def assert_heard_in_time(process: subprocess.Popen[str], text: str, said_at: float) -> None:
    """No reading that began a second after the change hears the words from before it, however slow the machine."""
    heard = next_heard(process)
    assert heard["heard"] == text
    assert heard["old_until"] < said_at + LONGEST


@pytest.mark.parametrize("valkey", ["there", "away", "hanging"])
def test_another_process_hears_a_change_within_a_second(valkey: str, hanging: str) -> None:
    tenant = make_tenant()
    addresses = {"there": os.environ["REDIS_URL"], "away": f"redis://127.0.0.1:{free_port()}/0", "hanging": hanging}
    with listener(tenant, addresses[valkey]) as process:
        assert next_heard(process)["heard"] == "en cours"
        for text in ("un", "deux", "trois"):
            assert_heard_in_time(process, text, say(tenant, text))
        with tenant_context(tenant.pk):
            PhraseOverride.objects.all().delete()
        assert_heard_in_time(process, "en cours", time.monotonic())
