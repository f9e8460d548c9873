"""docs/how-to/new-channel.md is run as it stands: whoever follows it has a channel that works."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pytest_django.fixtures import Settings

from channels import registry
from channels.templating import builtin
from tests.channels.test_registry import check_promises

PAGE = (Path(__file__).parents[2] / "docs/how-to/new-channel.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ADAPTER, TEST = (text for kind, text in BLOCKS if kind == "python")
(PATH,) = (text.strip() for kind, text in BLOCKS if kind == "text")
(TEMPLATE,) = (text for kind, text in BLOCKS if kind == "jinja")
MODULE, _dot, _name = PATH.rpartition(".")


@pytest.fixture
def followed(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = ModuleType(MODULE)
    exec(compile(ADAPTER, "new-channel.md", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, MODULE, module)
    (tmp_path / "rocketchat").mkdir()
    (tmp_path / "rocketchat/text.j2").write_text(TEMPLATE)
    monkeypatch.setattr(builtin, "ROOT", tmp_path)
    _forget()
    settings.CHANNEL_ADAPTERS = [*settings.CHANNEL_ADAPTERS, PATH]
    yield
    _forget()


def _forget() -> None:
    builtin._environment.cache_clear()
    builtin._template.cache_clear()


def test_who_follows_the_page_has_a_channel(followed: None, settings: Settings) -> None:
    check_promises("rocketchat")
    assert ("rocketchat", "Rocket.Chat") in registry.choices()
    names: dict[str, object] = {}
    exec(compile(TEST, "new-channel.md", "exec"), names)
    run = names["test_rocketchat"]
    assert callable(run)
    run(settings)


def test_the_example_is_short() -> None:
    assert len([line for line in ADAPTER.splitlines() if line.strip()]) <= 60
