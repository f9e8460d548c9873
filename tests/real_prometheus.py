"""Debian's Prometheus for tests: whether it is here, and how it is started."""

from pathlib import Path

import pytest

from config.up import prometheus
from tests.servers import free_port

PROGRAM = prometheus.find()
NEEDED = [
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAM is None, reason="Debian's package prometheus is not installed here: no real Prometheus was tried."
    ),
]
CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: {job}
    static_configs: [{{targets: ["127.0.0.1:{target}"]}}]
"""
REMOTE_WRITE = """
remote_write:
  - url: {url}/api/v1/metrics/remote-write
    authorization: {{type: Api-Key, credentials: "{token}"}}
    queue_config: {{batch_send_deadline: 1s}}
"""


def command(
    folder: Path, *, port: int = 0, job: str = "self", target: int = 0, url: str = "", token: str = ""
) -> list[str]:
    """The command line of a Prometheus that scrapes a target, or itself, and may write to a service."""
    port = port or free_port()
    text = CONFIG.format(job=job, target=target or port)
    if url:
        text += REMOTE_WRITE.format(url=url, token=token)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(text)
    options = {"config.file": folder / "prometheus.yml", "storage.tsdb.path": folder / "tsdb"}
    address = {"web.listen-address": f"127.0.0.1:{port}"}
    return [str(PROGRAM), *(f"--{name}={value}" for name, value in (options | address).items())]
