"""A kind of channel is one listed class that keeps the promises of the base."""

from pathlib import Path

import msgspec
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from pytest_django.fixtures import Settings
from structlog.testing import capture_logs

from channels import registry
from channels.adapters.base import Adapter, AdapterCredentials, AdapterSettings, Outgoing, Receipt
from channels.errors import ChannelError, ErrorReason, UnknownKind, clamp_retry_after
from channels.message import Rendered
from channels.sandbox.environment import FINALISERS
from channels.templating import render
from channels.templating.builtin import builtin_source
from channels.templating.samples import sample_message, worst_messages


class Pigeon(Adapter[AdapterSettings, AdapterCredentials]):
    """A whole new channel: this class, one line of settings and its templates."""

    kind = "pigeon"
    label = "Pigeon"
    Settings = AdapterSettings
    Credentials = AdapterCredentials
    parts = {"note": "text"}

    def recipients(self, settings: AdapterSettings) -> list[str]:
        """Return the one loft."""
        return ["loft"]

    def send(self, outgoing: Outgoing[AdapterSettings, AdapterCredentials]) -> Receipt:
        """Crash, as pigeons do."""
        raise KeyError("lost a feather")


def test_a_new_channel_needs_one_line_of_settings(settings: Settings) -> None:
    settings.CHANNEL_ADAPTERS = [*settings.CHANNEL_ADAPTERS, f"{__name__}.Pigeon"]
    assert registry.kinds()[-1] == "pigeon"
    assert registry.choices()[-1] == ("pigeon", "Pigeon")


def test_an_unknown_kind_says_so() -> None:
    with pytest.raises(UnknownKind):
        registry.adapter("pigeon")


def test_two_adapters_of_one_kind_are_a_mistake(settings: Settings) -> None:
    settings.CHANNEL_ADAPTERS = [f"{__name__}.Pigeon"] * 2
    with pytest.raises(ImproperlyConfigured):
        registry.kinds()


def test_a_crash_in_an_adapter_is_an_ambiguous_failure() -> None:
    outgoing = Outgoing(
        delivery_id="d",
        message=sample_message(),
        rendered=Rendered(parts={}),
        settings=AdapterSettings(),
        credentials=AdapterCredentials(),
        recipient="loft",
    )
    with capture_logs() as logs, pytest.raises(ChannelError) as caught:
        Pigeon().deliver(outgoing)
    # Whoever has to mend it learns where it broke, not what the message or the secrets were.
    assert logs[0]["kind"] == "pigeon"
    assert Path(__file__).name in logs[0]["at"]
    assert "feather" not in str(logs)
    assert (caught.value.reason, caught.value.ambiguous) == (ErrorReason.UNKNOWN, True)
    assert "feather" not in str(caught.value)


@pytest.mark.parametrize("kind", registry.kinds())
def test_each_adapter_keeps_the_promises(kind: str) -> None:
    check_promises(kind)


def check_promises(kind: str) -> None:
    """Demand of a kind of channel what the rest of the service relies on."""
    adapter = registry.adapter(kind)
    assert adapter.kind == kind
    assert adapter.label
    assert set(adapter.parts.values()) <= set(FINALISERS)
    assert adapter.default_rate_per_minute > 0
    assert 0 < adapter.send_timeout <= 30
    for model in (adapter.Settings, adapter.Credentials):
        assert model.__struct_config__.forbid_unknown_fields
        assert model.__struct_config__.frozen
    if not adapter.can_find:
        with pytest.raises(ChannelError):
            adapter.find(msgspec.UNSET, sample_message().created_at)


@pytest.mark.parametrize("kind", registry.kinds())
def test_each_kind_has_its_templates(kind: str) -> None:
    for part in registry.adapter(kind).parts:
        assert builtin_source(kind, part).strip(), part
    for number, message in enumerate(worst_messages()):
        rendered = render(kind, {}, message)
        assert not rendered.degraded_reason, number
        assert set(rendered.parts) == set(registry.adapter(kind).parts)


@pytest.mark.parametrize("kind", registry.kinds())
def test_each_kind_has_one_line_of_settings(kind: str, settings: Settings) -> None:
    assert [path for path in settings.CHANNEL_ADAPTERS if path.split(".")[-2] == kind]


@pytest.mark.parametrize("kind", registry.kinds())
def test_each_admission_can_be_asked(kind: str) -> None:
    if path := registry.adapter(kind).admission:
        assert callable(import_string(path))


@pytest.mark.parametrize(
    ("given", "kept"), [(None, None), (-5.0, 0.0), (7.0, 7.0), (1e12, 3600.0), (float("nan"), None)]
)
def test_a_wait_is_bounded(given: float | None, kept: float | None) -> None:
    assert clamp_retry_after(given) == kept


@pytest.mark.parametrize("kind", registry.kinds())
def test_each_kind_has_tests_of_its_own(kind: str) -> None:
    assert (Path(__file__).parent / f"test_{kind}.py").is_file()
